//go:build linux || darwin

package main

import "testing"

func TestReservable(t *testing.T) {
	if !reservable(1 << 20) {
		t.Error("a megabyte cannot be reserved")
	}
	if reservable(1 << 62) {
		t.Error("more than any processor addresses can be reserved")
	}
}
