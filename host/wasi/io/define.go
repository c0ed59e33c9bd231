package wasiio

import (
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/io/ioerror"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// Define adds wasi:io/error, poll and streams to l. They need nothing of the
// embedder.
func Define(l *component.Linker) error {
	for _, i := range []*component.Interface{
		ioerror.Bind(),
		poll.Bind(func(*component.Call) poll.Host { return pollHost{} }),
		streams.Bind(),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("wasi:io: %w", err)
		}
	}
	return nil
}
