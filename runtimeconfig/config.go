package runtimeconfig

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/outgoing"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/variables"
)

// Config is what a runtime configuration says. The zero value is that of an empty
// one.
type Config struct {
	// Path is the file that was read.
	Path string
	// StateDir and LogDir are directories, relative to the working directory of
	// the process. Nil leaves them to their defaults, "" means none.
	StateDir, LogDir *string
	// MaxInstanceMemory bounds each memory of an instance, in bytes; 0 leaves it
	// to the manifest.
	MaxInstanceMemory int64
	// Providers are asked for the values of variables, in this order.
	Providers []variables.Provider
	// Blocked are networks that no connection is made to; nil for none.
	Blocked *outbound.Networks
	// NoPooling makes a connection for each outgoing HTTP request.
	NoPooling bool
	// MaxRequests bounds the outgoing HTTP requests under way, as
	// [outgoing.Options] has it: 0 leaves it to the default, a negative number
	// forbids them.
	MaxRequests int
	// ClientTLS are the certificates of outgoing HTTPS requests.
	ClientTLS []outgoing.ClientTLS
	// Warnings are things that stop nothing but are worth knowing.
	Warnings []manifest.Diagnostic
}

// Load reads the file at path. The error is a [*manifest.Error] if the file was
// read and found wrong.
func Load(path string) (*Config, error) {
	d, err := manifest.LoadDocument(path)
	if _, ok := errors.AsType[*manifest.Error](err); ok {
		return nil, syntaxError(err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the runtime configuration: %w", err)
	}
	return read(d, path)
}

// Parse is Load for a text. name is what messages call it, and its directory is where
// relative paths start.
func Parse(data []byte, name string) (*Config, error) {
	d, err := manifest.ReadDocument(data, name)
	if err != nil {
		return nil, syntaxError(err)
	}
	return read(d, name)
}

// Apply sets what the configuration says about outgoing requests.
func (c *Config) Apply(o *outgoing.Options) {
	o.Blocked, o.NoPooling, o.ClientTLS = c.Blocked, c.NoPooling, c.ClientTLS
	if c.MaxRequests != 0 {
		// One component may have all: those of others wait behind no more than that.
		o.MaxRequests, o.MaxPerComponent = c.MaxRequests, c.MaxRequests
	}
}

// reading is a Config in the making.
type reading struct {
	*Config
	dir string // of the file
}

func read(d *manifest.Document, path string) (*Config, error) {
	r := reading{Config: &Config{Path: path}, dir: filepath.Dir(path)}
	r.directories(d.Root)
	r.providers(d.Root)
	r.networking(d.Root)
	r.http(d.Root)
	r.clientTLS(d.Root)
	absent(d.Root)
	d.Root.Done()
	warnings, err := d.Finish()
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		withoutSecrets(e.Diagnostics)
	}
	if err != nil {
		return nil, err
	}
	withoutSecrets(warnings)
	r.Warnings = warnings
	return r.Config, nil
}

// file returns a path of the configuration as the process finds it.
func (r reading) file(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}
