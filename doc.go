// Package minispin is the root of a Spin-compatible trigger host in Go.
//
// It holds no code. The command is cmd/minispin; programs that want to run
// WebAssembly components themselves import the component package, and those
// that want to mount a Spin application as an http.Handler import
// trigger/http. docs/architecture.md says how the parts fit together.
package minispin
