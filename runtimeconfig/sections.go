package runtimeconfig

import (
	"fmt"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/manifest"
)

// pageSize is the unit of a guest's memory, in bytes.
const pageSize = 64 << 10

// directories reads the keys that have flags of their own.
func (r reading) directories(root manifest.Table) {
	text := func(key string) *string {
		if v, ok := root.Get(key); ok {
			if s, ok := v.Text(); ok {
				return &s
			}
		}
		return nil
	}
	r.StateDir, r.LogDir = text("state_dir"), text("log_dir")
	if v, ok := root.Get("max_instance_memory"); ok {
		r.MaxInstanceMemory, _ = v.Integer(pageSize)
	}
}

// networking reads what holds for connections of every kind.
func (r reading) networking(root manifest.Table) {
	t, ok := root.Sub("outbound_networking")
	if !ok {
		return
	}
	if v, ok := t.Get("block_networks"); ok {
		var all []string
		for _, e := range v.List("strings") {
			s, ok := e.Text()
			if !ok {
				continue
			}
			if _, err := outbound.ParseNetworks([]string{s}); err != nil {
				e.Fail(fmt.Sprintf("%q is no network", s), `write a network such as "10.0.0.0/8", an address, or "private" for all that are not routed globally`)
				continue
			}
			all = append(all, s)
		}
		r.Blocked, _ = outbound.ParseNetworks(all)
	}
	for key, hint := range map[string]string{
		"max_socket_connections": "an instance has at most 128 sockets in any case",
		"max_total_connections":  "write max_connections in [outbound_http], which bounds the outgoing HTTP requests",
	} {
		if v, ok := t.Get(key); ok {
			if _, ok := v.Integer(0); ok {
				v.Fail("cannot be kept to by this host", hint)
			}
		}
	}
	t.Done()
}

// http reads what holds for outgoing HTTP requests. A table without the key
// connection_pooling leaves it on, as its documentation in Spin says.
func (r reading) http(root manifest.Table) {
	t, ok := root.Sub("outbound_http")
	if !ok {
		return
	}
	if v, ok := t.Get("connection_pooling"); ok {
		on, ok := v.Boolean()
		r.NoPooling = ok && !on
	}
	limit := func(n int64) {
		r.MaxRequests = int(min(n, maxConnections))
		if n == 0 {
			r.MaxRequests = -1
		}
	}
	v, given := t.Get("max_connections")
	if given {
		if n, ok := v.Integer(0); ok {
			limit(n)
		}
	}
	if v, ok := t.Get("max_concurrent_requests"); ok {
		n, ok := v.Integer(0)
		switch {
		case !ok:
		case given:
			v.Fail("says the same as max_connections", "leave it out, it is the older name")
		default:
			// The older key counted from zero.
			limit(min(n, maxConnections) + 1)
			v.Warn("is the older name of max_connections, which counts differently", fmt.Sprintf("write max_connections = %d", r.MaxRequests))
		}
	}
	t.Done()
}

// maxConnections is as good as no limit.
const maxConnections = 1 << 20

// absentSections are tables of Spin about what this host does not have.
var absentSections = map[string]string{
	"key_value_store": "there are no key-value stores in this host: components that open one are told that there is none",
	"sqlite_database": "there are no SQLite databases in this host: components that open one are told that there is none",
	"llm_compute":     "there are no language models in this host",
	"outbound_redis":  "there are no connections to Redis from this host",
	"outbound_pg":     "there are no connections to PostgreSQL from this host",
	"outbound_mysql":  "there are no connections to MySQL from this host",
	"outbound_mqtt":   "there are no connections by MQTT from this host",
}

// absent warns of sections that mean nothing here.
func absent(root manifest.Table) {
	for key, why := range absentSections {
		if v, ok := root.Get(key); ok {
			if _, ok := v.Table(); ok {
				v.Warn("has no effect", why)
			}
		}
	}
}
