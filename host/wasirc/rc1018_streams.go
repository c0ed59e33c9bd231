package wasirc

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// rc1018Streams adds the resource error, which has no interface of its own yet,
// and gives the functions that move bytes between streams the source for good:
// they drop it.
func rc1018Streams(d *derivation) {
	d.putFunc(d.base("wasi:io/error", "[method]error.to-debug-string"))

	self := abi.Field{Name: "self", Type: abi.Borrow(streams.OutputStreamResource)}
	src := abi.Field{Name: "src", Type: abi.Own(streams.InputStreamResource)}
	length := abi.Field{Name: "len", Type: abi.U64}
	put := func(name string, params []abi.Field, move func(c *component.Call, to streams.OutputStream, src streams.InputStream, args []abi.Val) (uint64, error)) {
		d.put("[method]output-stream."+name, &abi.Func{Params: params, Result: abi.Result(abi.U64, streams.StreamErrorABI)},
			func(c *component.Call, args []abi.Val) (abi.Val, error) {
				src := args[1].Rep().(streams.InputStream)
				defer src.Drop()
				return streamResult(move(c, args[0].Rep().(streams.OutputStream), src, args[2:]))
			})
	}
	put("splice", []abi.Field{self, src, length}, func(c *component.Call, to streams.OutputStream, src streams.InputStream, args []abi.Val) (uint64, error) {
		return to.Splice(c, src, args[0].Uint())
	})
	put("blocking-splice", []abi.Field{self, src, length}, func(c *component.Call, to streams.OutputStream, src streams.InputStream, args []abi.Val) (uint64, error) {
		return to.BlockingSplice(c, src, args[0].Uint())
	})
	put("forward", []abi.Field{self, src}, func(c *component.Call, to streams.OutputStream, src streams.InputStream, _ []abi.Val) (uint64, error) {
		return forward(c, to, src)
	})
}

// forward moves all bytes of src, waiting for them, and returns how many there
// were once it has ended.
func forward(c *component.Call, to streams.OutputStream, src streams.InputStream) (uint64, error) {
	const piece = 64 << 10
	for total := uint64(0); ; {
		n, err := to.BlockingSplice(c, src, piece)
		total += n
		if err == nil {
			continue
		}
		if e, ok := err.(streams.StreamError); !ok || e.Case != streams.StreamErrorClosed {
			return 0, err
		}
		// One of the two has ended, and only the source may.
		if _, err := to.CheckWrite(c); err != nil {
			return 0, err
		}
		return total, to.BlockingFlush(c)
	}
}

// streamResult is a result<u64, stream-error>; an error of another type is a trap.
func streamResult(n uint64, err error) (abi.Val, error) {
	if err == nil {
		v := abi.U64Val(n)
		return abi.OkVal(&v), nil
	}
	e, ok := err.(streams.StreamError)
	if !ok {
		return abi.Val{}, err
	}
	v := abi.CaseVal(uint32(e.Case))
	if e.Case == streams.StreamErrorLastOperationFailed {
		v = abi.PayloadVal(uint32(e.Case), abi.OwnVal(e.LastOperationFailed))
	}
	return abi.ErrVal(&v), nil
}
