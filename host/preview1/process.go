package preview1

import (
	"context"
	"runtime"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasi/clocks"
)

// This file has what a program is given (arguments, environment, time,
// randomness) and how it ends.

func argsGet(c *call) error      { return putStrings(c, c.ctx.Args) }
func argsSizesGet(c *call) error { return putSizes(c, c.ctx.Args) }

func environGet(c *call) error      { return putStrings(c, environ(c)) }
func environSizesGet(c *call) error { return putSizes(c, environ(c)) }

// environ returns the variables as NAME=VALUE.
func environ(c *call) []string {
	list := make([]string, len(c.ctx.Env))
	for i, kv := range c.ctx.Env {
		list[i] = kv[0] + "=" + kv[1]
	}
	return list
}

// terminated returns s as C has it: up to its first NUL, without it.
func terminated(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// putSizes stores how many strings there are at parameter 0, and how many bytes
// they take with their terminating NULs at parameter 1.
func putSizes(c *call, list []string) error {
	count, err := record(c.Mem(), c.u32(0), 4)
	if err != nil {
		return err
	}
	size, err := record(c.Mem(), c.u32(1), 4)
	if err != nil {
		return err
	}
	count.PutU32(0, uint32(len(list)))
	size.PutU32(0, uint32(sizeOf(list)))
	return nil
}

func sizeOf(list []string) (n uint64) {
	for _, s := range list {
		n += uint64(len(terminated(s))) + 1
	}
	return n
}

// putStrings stores the strings one after the other at parameter 1, and their
// addresses at parameter 0.
func putStrings(c *call, list []string) error {
	pointers, err := record(c.Mem(), c.u32(0), uint64(len(list))*4)
	if err != nil {
		return err
	}
	at := c.u32(1)
	text, err := span(c.Mem(), at, sizeOf(list))
	if err != nil {
		return err
	}
	n := 0
	for i, s := range list {
		pointers.PutU32(uint32(i)*4, at+uint32(n))
		n += copy(text[n:], terminated(s))
		text[n] = 0
		n++
	}
	return nil
}

// The clocks of preview 1, type clockid.
const (
	clockRealtime   = 0
	clockMonotonic  = 1
	clockProcessCPU = 2
	clockThreadCPU  = 3
)

// checkClock returns why there is no clock id, if there is none. Time on a
// processor is the host's affair and not told.
func checkClock(id uint32) error {
	switch id {
	case clockRealtime, clockMonotonic:
		return nil
	case clockProcessCPU, clockThreadCPU:
		return errNotsup
	}
	return errInval
}

// clockNow returns a clock in nanoseconds.
func clockNow(k *clocks.Clocks, id uint32) (uint64, error) {
	if err := checkClock(id); err != nil {
		return 0, err
	}
	if id == clockMonotonic {
		return k.Now(), nil
	}
	now := k.WallNow()
	return uint64(now.Unix())*1e9 + uint64(now.Nanosecond()), nil // until the year 2554
}

func clockResGet(c *call) error {
	if err := checkClock(c.u32(0)); err != nil {
		return err
	}
	return putU64(c.Mem(), c.u32(1), clocks.Resolution())
}

func clockTimeGet(c *call) error {
	now, err := clockNow(&c.ctx.Clocks, c.u32(0))
	if err != nil {
		return err
	}
	return putU64(c.Mem(), c.u32(2), now)
}

func putU64(m component.Memory, ptr uint32, v uint64) error {
	r, err := record(m, ptr, 8)
	if err != nil {
		return err
	}
	r.PutU64(0, v)
	return nil
}

// randomGet fills guest memory in place, so that its size is the only bound, in
// steps between which the end of the request is seen.
func randomGet(c *call) error {
	b, err := span(c.Mem(), c.u32(0), uint64(c.u32(1)))
	if err != nil {
		return err
	}
	const step = 1 << 20
	for len(b) > 0 {
		if c.Context().Err() != nil {
			return context.Cause(c.Context())
		}
		n := min(len(b), step)
		if err := c.ctx.Random.Fill(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// procExit ends the program. As a Go error it is the one that wasi:cli gives.
func procExit(c *call) error { return &cli.Exit{Code: int(c.u32(0))} }

func schedYield(*call) error {
	runtime.Gosched()
	return nil
}
