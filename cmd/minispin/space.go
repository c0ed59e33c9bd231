package main

import (
	"errors"

	"github.com/minispin/minispin/instancepool"
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

// errNoPool is why there is no engine for the strategy pooled.
var errNoPool = errors.New("the address space of this process is limited to less than the pool reserves; lift the limit, in a shell with ulimit -v unlimited")

// unavailable returns the strategies that the address space is too small for.
// reservable tries out whether that much can be had.
func unavailable(reservable func(uint64) bool) (map[instancepool.Strategy]error, error) {
	switch {
	case !reservable(instanceSpace):
		return nil, errNoSpace
	case !reservable(pooledSpace):
		return map[instancepool.Strategy]error{instancepool.Pooled: errNoPool}, nil
	}
	return nil, nil
}
