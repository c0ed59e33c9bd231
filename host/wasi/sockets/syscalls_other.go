//go:build !linux && !darwin

package sockets

import (
	"errors"
	"net/netip"

	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
)

// There are no sockets on this system: none can be created, so that nothing
// else here is ever reached.

const (
	bufferFactor        = 1
	maxKeepAliveSeconds = 1
	maxKeepAliveCount   = 1
)

type option struct{}

var optKeepAlive, optNoDelay, optIdle, optInterval, optCount, optHopLimit4, optHopLimit6, optReceiveBuffer, optSendBuffer option

func newDescriptor(network.IPAddressFamily, kind) (*descriptor, error) {
	return nil, errors.ErrUnsupported
}

func acceptOn(int) (*descriptor, error)        { return nil, errors.ErrUnsupported }
func canRead(int) bool                         { return true }
func canWrite(int) bool                        { return true }
func bind(int, netip.AddrPort) error           { return errors.ErrUnsupported }
func listen(int, int) error                    { return errors.ErrUnsupported }
func connect(int, netip.AddrPort) error        { return errors.ErrUnsupported }
func unassociate(int) error                    { return errors.ErrUnsupported }
func inProgress(error) bool                    { return false }
func pendingError(int) error                   { return errors.ErrUnsupported }
func shutdown(int, bool, bool) error           { return errors.ErrUnsupported }
func read(int, []byte) (int, error)            { return 0, errors.ErrUnsupported }
func send(int, []byte) (int, error)            { return 0, errors.ErrUnsupported }
func sendTo(int, []byte, netip.AddrPort) error { return errors.ErrUnsupported }

func localAddress(int) (netip.AddrPort, error) { return netip.AddrPort{}, errors.ErrUnsupported }
func peerAddress(int) (netip.AddrPort, error)  { return netip.AddrPort{}, errors.ErrUnsupported }

func receiveFrom(int, []byte) (int, netip.AddrPort, error) {
	return 0, netip.AddrPort{}, errors.ErrUnsupported
}

func (d *descriptor) option(option) (int, error)  { return 0, errors.ErrUnsupported }
func (d *descriptor) setOption(option, int) error { return errors.ErrUnsupported }
