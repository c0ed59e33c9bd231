package main

//go:generate go run . -o internal -import github.com/minispin/minispin/wit/bindgen/internal testdata/demo
