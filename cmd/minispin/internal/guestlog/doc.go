// Package guestlog takes down what guests print: into two files for each
// component, and onto one stream for all.
//
// It knows neither WebAssembly nor HTTP. Its central idea is the record: a line,
// or 64 KiB of one that does not end. Requests that print at the same time mix by
// records and never within one, and a component that prints faster than anybody
// reads loses whole records, which are counted.
package guestlog
