package denied

import "strings"

// grants tells by which key of a component's manifest Spin grants what an
// interface gives access to, by the beginning of the interface's name.
var grants = []struct{ prefix, key string }{
	{"wasi:filesystem/", "files"},
	{"wasi:sockets/", "allowed_outbound_hosts"},
	{"wasi:http/outgoing-handler", "allowed_outbound_hosts"},
	{"wasi:keyvalue/", "key_value_stores"},
	{"wasi:config/", "variables"},
	{"fermyon:spin/key-value", "key_value_stores"},
	{"fermyon:spin/sqlite", "sqlite_databases"},
	{"spin:sqlite/", "sqlite_databases"},
	{"fermyon:spin/llm", "ai_models"},
	{"fermyon:spin/variables", "variables"},
	{"fermyon:spin/config", "variables"},
	{"fermyon:spin/http", "allowed_outbound_hosts"},
	{"fermyon:spin/redis", "allowed_outbound_hosts"},
	{"fermyon:spin/mqtt", "allowed_outbound_hosts"},
	{"fermyon:spin/mysql", "allowed_outbound_hosts"},
	{"fermyon:spin/postgres", "allowed_outbound_hosts"},
	{"spin:postgres/", "allowed_outbound_hosts"},
}

// Grant returns the key of a component's table in the manifest by which Spin
// grants what the interface gives access to, "" when no key does.
func Grant(iface string) string {
	for _, g := range grants {
		if strings.HasPrefix(iface, g.prefix) {
			return g.key
		}
	}
	return ""
}
