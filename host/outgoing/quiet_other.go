//go:build !unix

package outgoing

import "net"

// keepable says that isQuiet can look at connections.
const keepable = false

func isQuiet(net.Conn) bool { return false }
