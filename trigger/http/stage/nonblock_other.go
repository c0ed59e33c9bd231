//go:build !unix

package stage

const nonblock = 0
