package app

import (
	"context"
	"net/netip"
	"testing"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/wasi/sockets"
)

func TestNetwork(t *testing.T) {
	hosts, err := outbound.ParseHosts([]string{"*://127.0.0.1:7", "udp://0.0.0.0:*", "tcp://db.example.com:5432", "tcp://10.0.0.0/8:1..9"})
	if err != nil {
		t.Fatal(err)
	}
	blocked, err := outbound.ParseNetworks([]string{"10.1.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	n := network{outbound.NewPolicy("hello", hosts, blocked, nil)}
	for _, tt := range []struct {
		use  sockets.Use
		addr string
		want bool
	}{
		{sockets.UseTCPConnect, "127.0.0.1:7", true},
		{sockets.UseUDPConnect, "127.0.0.1:7", true},
		{sockets.UseUDPSend, "127.0.0.1:7", true},
		{sockets.UseUDPBind, "127.0.0.1:7", true},
		{sockets.UseTCPBind, "127.0.0.1:7", false}, // never
		{sockets.UseTCPConnect, "127.0.0.1:8", false},
		{sockets.UseTCPConnect, "127.0.0.2:7", false},
		{sockets.UseTCPConnect, "[::1]:7", false},
		{sockets.UseUDPBind, "0.0.0.0:0", true},
		{sockets.UseTCPConnect, "0.0.0.0:80", false}, // the entry is one of udp
		{sockets.UseTCPConnect, "192.0.2.1:5432", false},
		{sockets.UseTCPConnect, "10.2.0.1:8", true},
		{sockets.UseTCPConnect, "10.1.0.1:8", false}, // blocked
		{sockets.UseUDPSend, "10.2.0.1:8", false},
	} {
		if got := n.AllowAddress(context.Background(), tt.use, netip.MustParseAddrPort(tt.addr)); got != tt.want {
			t.Errorf("%v %s: allowed %v, want %v", tt.use, tt.addr, got, tt.want)
		}
	}
	for name, want := range map[string]bool{"db.example.com": true, "www.example.com": false, "localhost": false, "0x7f000001": false} {
		if got := n.AllowLookup(context.Background(), name); got != want {
			t.Errorf("look-up of %s: allowed %v, want %v", name, got, want)
		}
	}
}
