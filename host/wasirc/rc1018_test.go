package wasirc_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/host/wasirc"
	fstypes "github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udp"
)

// directory is a descriptor that opens everything.
type directory struct {
	fstypes.Descriptor
	opened *string
}

func (d directory) OpenAt(_ *component.Call, p fstypes.PathFlags, path string, o fstypes.OpenFlags, f fstypes.DescriptorFlags) (fstypes.Descriptor, error) {
	if p != 1 || o != 2 || f != 3 {
		return nil, fstypes.ErrorCodeInvalid
	}
	*d.opened = path
	return d, nil
}
func (directory) Drop() {}

// TestOpenAt opens a file with permissions, which the host's function has not.
func TestOpenAt(t *testing.T) {
	open := candidateFunc(t, wasirc.Version20231018, "wasi:filesystem/types", "[method]descriptor.open-at")
	var opened string
	err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
		copy(c.Mem()[128:], "a/b")
		st := make([]component.Raw, 8)
		for i, v := range []uint32{c.LowerOwn(fstypes.DescriptorResource, directory{opened: &opened}), 1, 128, 3, 2, 3, 7, 64} {
			st[i].SetU32(v)
		}
		if err := open.Call(c, st); err != nil {
			return err
		}
		if _, ok := c.LiftOwn(fstypes.DescriptorResource, c.Mem().U32(68)).(directory); !ok || c.Mem().U8(64) != 0 {
			t.Errorf("the guest has % x", []byte(c.Mem()[64:72]))
		}
		return nil
	})
	if err != nil || opened != "a/b" {
		t.Errorf("opened %q, %v", opened, err)
	}
}

// TestFilesHaveNoLocks calls what files of guests have not: permissions and locks.
func TestFilesHaveNoLocks(t *testing.T) {
	for _, name := range []string{
		"access-at", "change-file-permissions-at", "change-directory-permissions-at",
		"lock-shared", "lock-exclusive", "try-lock-shared", "try-lock-exclusive", "unlock",
	} {
		t.Run(name, func(t *testing.T) {
			f := candidateFunc(t, wasirc.Version20231018, "wasi:filesystem/types", "[method]descriptor."+name)
			err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
				st := make([]component.Raw, 7)
				st[0].SetU32(c.LowerOwn(fstypes.DescriptorResource, directory{}))
				result := map[int]int{1: 1, 4: 5}[len(f.Type.Params)] // a path takes two, a variant too
				if name == "access-at" {
					result = 6
				}
				st[result].SetU32(64)
				if err := f.Call(c, st); err != nil {
					return err
				}
				if got := [2]byte(c.Mem()[64:66]); got != [2]byte{1, byte(fstypes.ErrorCodeUnsupported)} {
					t.Errorf("the guest has %v", got)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// failing fails after some bytes.
type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = errors.New("the disk is gone")
	}
	return n, err
}

// broken takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestForward moves streams to their ends, which are good or bad on either side.
// The source is gone in any case.
func TestForward(t *testing.T) {
	forward := candidateFunc(t, wasirc.Version20231018, "wasi:io/streams", "[method]output-stream.forward")
	long := strings.Repeat("0123456789", 20_000)
	for name, tt := range map[string]struct {
		from io.Reader
		to   io.Writer // nil to see what comes
		want []byte    // the beginning of the result: its case, and that of the error
	}{
		"short":        {strings.NewReader("hello"), nil, []byte{0}},
		"long":         {strings.NewReader(long), nil, []byte{0}},
		"empty":        {strings.NewReader(""), nil, []byte{0}},
		"bad source":   {failing{strings.NewReader("hello")}, nil, []byte{1, 0}},
		"closed drain": {strings.NewReader("hello"), broken{}, []byte{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			to := tt.to
			if to == nil {
				to = &got
			}
			err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
				closed := 0
				in := wasiio.NewInputStream(tt.from, wasiio.InputOptions{Close: func() { closed++ }})
				st := make([]component.Raw, 3)
				st[0].SetU32(c.LowerOwn(streams.OutputStreamResource, wasiio.NewOutputStream(to, wasiio.OutputOptions{})))
				st[1].SetU32(c.LowerOwn(streams.InputStreamResource, in))
				st[2].SetU32(64)
				if err := forward.Call(c, st); err != nil {
					return err
				}
				m := c.Mem()
				if m.U8(64) != tt.want[0] || tt.want[0] == 1 && m.U8(72) != tt.want[1] {
					t.Errorf("the guest has % x", []byte(m[64:80]))
				}
				if n := m.U64(72); tt.want[0] == 0 && n != uint64(got.Len()) {
					t.Errorf("told of %d bytes, moved %d", n, got.Len())
				}
				if closed != 1 {
					t.Errorf("the source was closed %d times", closed)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if tt.want[0] == 0 && name == "long" && got.String() != long {
				t.Errorf("moved %d bytes", got.Len())
			}
		})
	}
}

// TestForeignSocket gives a function of the candidate a UDP socket that another
// version of WASI has made.
func TestForeignSocket(t *testing.T) {
	send := candidateFunc(t, wasirc.Version20231018, "wasi:sockets/udp", "[method]udp-socket.send")
	err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
		st := make([]component.Raw, 4)
		st[0].SetU32(c.LowerOwn(udp.UDPSocketResource, foreignSocket{}))
		st[1].SetU32(64)
		st[3].SetU32(64)
		return send.Call(c, st)
	})
	if err == nil || !strings.Contains(err.Error(), "another version of WASI") {
		t.Errorf("got %v", err)
	}
}

type foreignSocket struct{ udp.UDPSocket }

func (foreignSocket) Drop() {}
