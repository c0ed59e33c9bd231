package preview1

import (
	"github.com/minispin/minispin/component"
)

// maxIovecs is how many buffers of one list are looked at. More are no error:
// the call does less than it was asked for, as it may.
const maxIovecs = 1024

// span returns the n bytes of guest memory at ptr, or EFAULT.
func span(m component.Memory, ptr uint32, n uint64) ([]byte, error) {
	if n > uint64(len(m)) || uint64(ptr) > uint64(len(m))-n {
		return nil, errFault
	}
	return m[ptr : uint64(ptr)+n], nil
}

// record is span for a record of size bytes, with the scalar accessors that
// Memory has.
func record(m component.Memory, ptr uint32, size uint64) (component.Memory, error) {
	b, err := span(m, ptr, size)
	return component.Memory(b), err
}

// iovecs returns the non-empty buffers of the list of n iovec (or ciovec) at
// ptr. All of the list and every buffer looked at lie in memory; buffers may
// overlap each other and the list, which has been read by then.
func iovecs(m component.Memory, ptr, n uint32) ([][]byte, error) {
	list, err := record(m, ptr, uint64(n)*8)
	if err != nil {
		return nil, err
	}
	n = min(n, maxIovecs)
	var bufs [][]byte
	for i := range n {
		b, err := span(m, list.U32(i*8), uint64(list.U32(i*8+4)))
		if err != nil {
			return nil, err
		}
		if len(b) > 0 {
			bufs = append(bufs, b)
		}
	}
	return bufs, nil
}
