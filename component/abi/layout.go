package abi

// CoreType is a core WebAssembly value type that component values flatten to.
type CoreType uint8

// The core value types of the Canonical ABI for 32-bit memories.
const (
	I32 CoreType = iota + 1
	I64
	F32Core
	F64Core
)

// String returns the type's name in the core text format.
func (c CoreType) String() string {
	switch c {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32Core:
		return "f32"
	case F64Core:
		return "f64"
	}
	return "invalid"
}

const (
	// MaxTypeSize is the largest size in bytes a type may have, measured with
	// 64-bit pointers whatever the memory (CanonicalABI.md, section Element Size).
	MaxTypeSize = 1<<28 - 1
	// MaxTypeDepth bounds the nesting of types and with it the recursion of
	// everything that walks them.
	MaxTypeDepth = 512
)

func primitive(k Kind, size uint32, core CoreType) *Type {
	return &Type{
		Kind: k, Size: size, Align: size, FlatCount: 1, Flat: []CoreType{core},
		wideSize: size, wideAlign: size, plain: k != KindBool && k != KindChar,
	}
}

func pointerPair(k Kind) *Type {
	return &Type{
		Kind: k, Size: 8, Align: 4, FlatCount: 2, Flat: []CoreType{I32, I32},
		wideSize: 16, wideAlign: 8, pointers: true,
	}
}

func handle(k Kind) *Type {
	return &Type{Kind: k, Size: 4, Align: 4, FlatCount: 1, Flat: []CoreType{I32}, wideSize: 4, wideAlign: 4, handles: true}
}

// alignTo rounds n up to a multiple of the power of two a.
func alignTo(n uint64, a uint32) uint64 { return (n + uint64(a) - 1) &^ (uint64(a) - 1) }

// setSize stores sizes computed in 64 bits, that in 32-bit memories and that in
// 64-bit ones, which is never less. It refuses what is too large.
func (t *Type) setSize(n, wide uint64) {
	if wide > MaxTypeSize {
		t.fail("size exceeds %d bytes, with pointers of 64 bits", MaxTypeSize)
		n, wide = 0, 0
	}
	t.Size, t.wideSize = uint32(n), uint32(wide)
}

// setFlat stores a flattened type, or only its being too long.
func (t *Type) setFlat(count int, flat []CoreType) {
	if count > MaxFlatParams {
		t.FlatCount, t.Flat = MaxFlatParams+1, nil
		return
	}
	t.FlatCount, t.Flat = count, flat
}

// layoutFields lays out a record or tuple (CanonicalABI.md, sections Alignment,
// Element Size and Flattening).
func (t *Type) layoutFields() {
	if len(t.Fields) == 0 {
		t.fail("must not be empty")
	}
	var (
		end   uint64
		wide  uint64
		sum   uint64
		count int
		flat  []CoreType
	)
	t.Align, t.wideAlign = 1, 1
	t.plain = true
	for i := range t.Fields {
		f := &t.Fields[i]
		t.contain(f.Type)
		if t.err != nil {
			return
		}
		u := f.Type
		end, wide = alignTo(end, u.Align), alignTo(wide, u.wideAlign)
		if wide > MaxTypeSize {
			t.setSize(end, wide)
			return
		}
		f.Offset = uint32(end)
		end += uint64(u.Size)
		wide += uint64(u.wideSize)
		sum += uint64(u.Size)
		t.Align, t.wideAlign = max(t.Align, u.Align), max(t.wideAlign, u.wideAlign)
		t.plain = t.plain && u.plain
		count += u.FlatCount
		if count <= MaxFlatParams {
			flat = append(flat, u.Flat...)
		}
	}
	t.setSize(alignTo(end, t.Align), alignTo(wide, t.wideAlign))
	t.plain = t.plain && sum == uint64(t.Size)
	t.setFlat(count, flat)
}

// layoutCases lays out a variant, option, result or enum of n cases.
func (t *Type) layoutCases(n int) {
	t.DiscSize = discriminantSize(n)
	var (
		payload, wide           uint64
		payloadAlign, wideAlign uint32 = 1, 1
		count                   int
		flat                    []CoreType
	)
	for _, c := range t.Cases {
		if c.Type == nil {
			continue
		}
		t.contain(c.Type)
		if t.err != nil {
			return
		}
		payload, wide = max(payload, uint64(c.Type.Size)), max(wide, uint64(c.Type.wideSize))
		payloadAlign, wideAlign = max(payloadAlign, c.Type.Align), max(wideAlign, c.Type.wideAlign)
		count = max(count, c.Type.FlatCount)
		for i, core := range c.Type.Flat {
			if i == len(flat) {
				flat = append(flat, core)
			} else {
				flat[i] = join(flat[i], core)
			}
		}
	}
	t.Align, t.wideAlign = max(t.DiscSize, payloadAlign), max(t.DiscSize, wideAlign)
	offset := alignTo(uint64(t.DiscSize), payloadAlign)
	t.PayloadOffset = uint32(offset)
	t.setSize(alignTo(offset+payload, t.Align), alignTo(alignTo(uint64(t.DiscSize), wideAlign)+wide, t.wideAlign))
	t.setFlat(1+count, append([]CoreType{I32}, flat...))
}

// discriminantSize returns the bytes needed to number n cases.
func discriminantSize(n int) uint32 {
	switch {
	case n <= 1<<8:
		return 1
	case n <= 1<<16:
		return 2
	}
	return 4
}

// join returns the core type that can carry both a and b.
func join(a, b CoreType) CoreType {
	switch {
	case a == b:
		return a
	case a == I32 && b == F32Core, a == F32Core && b == I32:
		return I32
	}
	return I64
}

func (t *Type) layoutFlags() {
	n := len(t.Names)
	words := 1
	switch {
	case n <= 8:
		t.Size, t.Align = 1, 1
	case n <= 16:
		t.Size, t.Align = 2, 2
	default:
		words = (n + 31) / 32
		t.Align = 4
		t.setSize(4*uint64(words), 4*uint64(words))
	}
	t.wideSize, t.wideAlign = t.Size, t.Align
	t.plain = uint64(n) == 8*uint64(t.Size)
	var flat []CoreType
	if words <= MaxFlatParams {
		for range words {
			flat = append(flat, I32)
		}
	}
	t.setFlat(words, flat)
}

func (t *Type) layoutFixedList() {
	if t.Len == 0 {
		t.fail("length must not be zero")
	}
	if t.err != nil {
		return
	}
	t.Align, t.wideAlign = t.Elem.Align, t.Elem.wideAlign
	t.plain = t.Elem.plain
	t.setSize(uint64(t.Len)*uint64(t.Elem.Size), uint64(t.Len)*uint64(t.Elem.wideSize))
	if t.Len > MaxFlatParams {
		t.setFlat(MaxFlatParams+1, nil)
		return
	}
	count := int(t.Len) * t.Elem.FlatCount
	var flat []CoreType
	if count <= MaxFlatParams {
		for range t.Len {
			flat = append(flat, t.Elem.Flat...)
		}
	}
	t.setFlat(count, flat)
}
