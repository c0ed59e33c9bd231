package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// refusedFlags are the flags of Spin's up that are not to be had here. That they are
// known lets the message say why, where an unknown flag would look like a slip.
type refusedFlags struct {
	FromRegistry    refused `hidden:"" reason:"there is no client for registries: get the application by a tool of its own, and name its spin.toml"`
	Insecure        refused `hidden:"" short:"k" reason:"it is about registries, for which there is no client"`
	Cache           refused `hidden:"" reason:"minispin keeps compiled code in a form of its own: --cache-dir says where, --disable-cache that it does not"`
	KeyValue        refused `hidden:"" reason:"there are no key-value stores yet: components that open one are denied it"`
	SQLite          refused `hidden:"" name:"sqlite" reason:"there are no databases yet: components that open one are denied it"`
	DebugInfo       refused `hidden:"" reason:"code for debuggers is not made"`
	Otel            refused `hidden:"" name:"experimental-wasi-otel" reason:"wasi:otel is not offered"`
	ReuseCount      refused `hidden:"" name:"max-instance-reuse-count" reason:"every request gets a fresh instance; max_requests in [component.<id>.tool.minispin] is for the strategy reuse"`
	ConcurrentReuse refused `hidden:"" name:"max-instance-concurrent-reuse-count" reason:"an instance serves one request at a time"`
	IdleInstance    refused `hidden:"" name:"idle-instance-timeout" reason:"instances that no request needs end after 30 s; idle_time in [component.<id>.tool.minispin] is for the strategies that keep them"`
}

// refused is a flag that is always a mistake.
type refused struct{}

// IsBool implements kong.BoolMapperValue: whether a value follows does not matter.
func (*refused) IsBool() bool { return true }

// Decode implements kong.MapperValue.
func (*refused) Decode(ctx *kong.DecodeContext) error {
	return fmt.Errorf("not to be had here: %s", ctx.Value.Tag.Get("reason"))
}
