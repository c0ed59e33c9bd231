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

func argsGet(c *call) error {
	args := c.ctx.Args
	return putStrings(c, len(args), argsSize(args), func(i int, to []byte) int { return putText(to, args[i]) })
}

func argsSizesGet(c *call) error { return putSizes(c, len(c.ctx.Args), argsSize(c.ctx.Args)) }

func argsSize(args []string) (n uint64) {
	for _, s := range args {
		n += uint64(len(terminated(s))) + 1
	}
	return n
}

// The variables are written as NAME=VALUE straight from their parts: a program is
// given dozens of them for each request.

func environGet(c *call) error {
	env := c.ctx.Env
	return putStrings(c, len(env), environSize(env), func(i int, to []byte) int {
		name, value := env[i][0], env[i][1]
		n := putText(to, name)
		if n == len(name) {
			to[n] = '='
			n++
			n += putText(to[n:], value)
		}
		return n
	})
}

func environSizesGet(c *call) error { return putSizes(c, len(c.ctx.Env), environSize(c.ctx.Env)) }

func environSize(env [][2]string) (n uint64) {
	for _, kv := range env {
		name := terminated(kv[0])
		n += uint64(len(name)) + 1
		if len(name) == len(kv[0]) {
			n += uint64(len(terminated(kv[1]))) + 1
		}
	}
	return n
}

// terminated returns s as C has it: up to its first NUL, without it.
func terminated(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

func putText(to []byte, s string) int { return copy(to, terminated(s)) }

// putSizes stores how many strings there are at parameter 0, and how many bytes
// they take with their terminating NULs at parameter 1.
func putSizes(c *call, strings int, bytes uint64) error {
	count, err := record(c.Mem(), c.u32(0), 4)
	if err != nil {
		return err
	}
	size, err := record(c.Mem(), c.u32(1), 4)
	if err != nil {
		return err
	}
	count.PutU32(0, uint32(strings))
	size.PutU32(0, uint32(bytes))
	return nil
}

// putStrings stores strings of so many bytes in all one after the other at
// parameter 1, and their addresses at parameter 0. put writes string i without its
// NUL and returns its length.
func putStrings(c *call, strings int, bytes uint64, put func(i int, to []byte) int) error {
	pointers, err := record(c.Mem(), c.u32(0), uint64(strings)*4)
	if err != nil {
		return err
	}
	at := c.u32(1)
	text, err := span(c.Mem(), at, bytes)
	if err != nil {
		return err
	}
	n := 0
	for i := range strings {
		pointers.PutU32(uint32(i)*4, at+uint32(n))
		n += put(i, text[n:])
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
