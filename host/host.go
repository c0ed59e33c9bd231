// Package host links every interface that this host has, offered or denied.
package host

import (
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/denied"
	"github.com/minispin/minispin/host/preview1"
	"github.com/minispin/minispin/host/spinhttp"
	"github.com/minispin/minispin/host/variables"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/host/wasirc"
)

// Define adds all interfaces to l.
func Define(l *component.Linker) error {
	for _, define := range []func(*component.Linker) error{
		wasi.Define, wasihttp.Define, preview1.Define, variables.Define, spinhttp.Define, denied.Define,
		wasirc.Define, // by all of WASI, so after it
	} {
		if err := define(l); err != nil {
			return fmt.Errorf("define host interfaces: %w", err)
		}
	}
	return nil
}
