package sockets

import (
	"math"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
)

// The options that both kinds of socket have. They are the system's: what is set
// is rounded and cut down to what it takes, and what is read is what it uses.

func hopLimitOption(family network.IPAddressFamily) option {
	if family == network.IPAddressFamilyIpv6 {
		return optHopLimit6
	}
	return optHopLimit4
}

func (d *descriptor) hopLimit(family network.IPAddressFamily) (uint8, error) {
	v, err := d.option(hopLimitOption(family))
	return uint8(v), result(err)
}

func (d *descriptor) setHopLimit(family network.IPAddressFamily, v uint8) error {
	if v == 0 {
		return network.ErrorCodeInvalidArgument
	}
	return result(d.setOption(hopLimitOption(family), int(v)))
}

// flag reads an option that is on or off.
func (d *descriptor) flag(o option) (bool, error) {
	v, err := d.option(o)
	return v != 0, result(err)
}

func (d *descriptor) setFlag(o option, on bool) error {
	v := 0
	if on {
		v = 1
	}
	return result(d.setOption(o, v))
}

func (d *descriptor) bufferSize(o option) (uint64, error) {
	v, err := d.option(o)
	return uint64(v / bufferFactor), result(err)
}

func (d *descriptor) setBufferSize(o option, v uint64) error {
	if v == 0 {
		return network.ErrorCodeInvalidArgument
	}
	return result(d.setOption(o, int(min(v, maxBuffer))))
}

// seconds reads an option that is a time.
func (d *descriptor) seconds(o option) (uint64, error) {
	v, err := d.option(o)
	return uint64(v) * uint64(time.Second), result(err)
}

// setSeconds sets an option that is a time, ns nanoseconds rounded up.
func (d *descriptor) setSeconds(o option, ns uint64) error {
	if ns == 0 {
		return network.ErrorCodeInvalidArgument
	}
	s := min((min(ns, math.MaxInt64)+uint64(time.Second)-1)/uint64(time.Second), maxKeepAliveSeconds)
	return result(d.setOption(o, int(s)))
}
