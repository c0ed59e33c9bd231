// Package filesystem is wasi:filesystem: the interfaces types and preopens.
//
// Descriptors are handles of package files, which decides what a guest can reach
// and may do; here they meet the component model. Streams are those of wasiio,
// over a handle and an offset of their own. The package knows nothing of who
// mounts what. Its one idea: a descriptor has no state beside its handle, but for
// the buffer that its reads use.
package filesystem

import (
	"errors"
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/preopens"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/ioerror"
	"github.com/minispin/minispin/wit/value"
)

// Define adds wasi:filesystem/types and preopens to l; of gives the files of the
// instance that calls.
func Define(l *component.Linker, of func(*component.Call) *files.Session) error {
	for _, i := range []*component.Interface{
		types.Bind(func(c *component.Call) types.Host { return host{of(c)} }),
		preopens.Bind(func(c *component.Call) preopens.Host { return host{of(c)} }),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("wasi:filesystem: %w", err)
		}
	}
	return nil
}

type host struct{ session *files.Session }

// GetDirectories implements wasi:filesystem/preopens. A guest that has no room
// left for the handles is not given them.
func (h host) GetDirectories(*component.Call) ([]value.Tuple2[types.Descriptor, string], error) {
	var all []value.Tuple2[types.Descriptor, string]
	for _, m := range h.session.Mounts {
		d, err := h.session.Preopen(m)
		if err != nil {
			break
		}
		all = append(all, value.Tuple2[types.Descriptor, string]{F0: &descriptor{h: d}, F1: m.Path})
	}
	return all, nil
}

// FilesystemErrorCode implements wasi:filesystem/types: streams of descriptors
// fail with the error codes of their handles.
func (h host) FilesystemErrorCode(_ *component.Call, e ioerror.Error) (value.Option[types.ErrorCode], error) {
	err, ok := e.(error)
	var code types.ErrorCode
	if ok && errors.As(err, &code) {
		return value.Some(code), nil
	}
	return value.None[types.ErrorCode](), nil
}
