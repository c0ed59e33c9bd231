// Package outbound decides which hosts on the network a component may reach.
//
// It reads the entries of allowed_outbound_hosts, matches destinations against
// them, and looks at the addresses that connections are really made to. It knows
// neither the manifest nor any protocol: the hosts of HTTP, databases and sockets
// ask it before they connect, each with the scheme of its own. Entries come with
// their templates resolved.
//
// The central idea: a destination is brought into one spelling, a [Target],
// before anything is asked about it, and what is connected to is that Target and
// not the text it came from. So there are no two readers of one URL that could
// disagree. A name is checked a second time as the addresses it resolves to, at
// the moment of connecting, when no answer of a name server comes after it.
package outbound
