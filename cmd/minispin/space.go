package main

import (
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
)

// Address space is plentiful on most machines and costs nothing, but a limit on
// it (ulimit -v), or a processor with few address bits, is met at the worst time:
// when an instance is to be made, or in the engine, which then gives up the
// process. So it is tried out first.
const (
	// instanceSpace is what the linear memory of one instance reserves: what 32
	// bits can address, and guards.
	instanceSpace = 4<<30 + 64<<20
	// pooledSpace is what the engine of the pooled strategy reserves, tables and
	// the rest of the process included.
	pooledSpace = 1000*instanceSpace + 64<<30
)

var errNoSpace = errors.New("the address space of this process is limited to less than one instance of a component reserves (4 GiB, of which it uses little): lift the limit, in a shell with ulimit -v unlimited")

// fitStrategy returns the strategy to load m with: the wanted one, or one that
// needs less address space when there is not enough for it. reservable tries out
// whether that much can be had.
func fitStrategy(m *manifest.App, wanted string, reservable func(uint64) bool, log *zap.Logger) (string, error) {
	if !reservable(instanceSpace) {
		return "", errNoSpace
	}
	pooled := func(strategy string) bool {
		s, err := instancepool.Parse(strategy)
		return err == nil && s == instancepool.Pooled
	}
	needed := pooled(wanted)
	if wanted == "" {
		needed = slices.ContainsFunc(m.Used(), func(c *manifest.Component) bool { return pooled(c.Settings.Strategy) })
	}
	if !needed || reservable(pooledSpace) {
		return wanted, nil
	}
	log.Warn("address space is limited: instances are made on demand, which is slower, and few may run at a time; lift the limit, in a shell with ulimit -v unlimited",
		zap.String("strategy", string(instancepool.PreInstance)))
	return string(instancepool.PreInstance), nil
}
