package footprint

// What follows an instruction's opcode, so that its end can be found.
type immediate uint8

const (
	immUnknown  immediate = iota // not an instruction known here
	immNone                      //
	immBlock                     // a block type; opens a block
	immEnd                       // closes a block
	immIndex                     // one index
	immIndex2                    // two indices
	immTable                     // a vector of labels and one more
	immTypes                     // a vector of value types
	immHeapType                  //
	immMemArg                    // alignment, perhaps a memory, and offset
	immMemLane                   // the same, and a lane
	immI32                       // a signed number of 32 bits
	immI64                       // a signed number of 64 bits
	imm1                         // that many bytes
	imm4                         //
	imm8                         //
	imm16                        //
	immMisc                      // a further opcode, of the table below
	immVector                    // a further opcode, of the vector instructions
)

// Opcodes that the walk gives meaning to. WebAssembly, section Instructions of
// the binary format.
const (
	opGlobalSet  = 0x24
	opTableSet   = 0x26
	opMemoryGrow = 0x40

	miscDataDrop  = 9
	miscTableInit = 12
	miscElemDrop  = 13
	miscTableCopy = 14
	miscTableGrow = 15
	miscTableFill = 17
)

// plain holds the immediates of the instructions of one byte: WebAssembly 2.0
// and the tail calls of 3.0.
var plain = plainTable()

func plainTable() (t [256]immediate) {
	fill := func(from, to int, imm immediate) {
		for i := from; i <= to; i++ {
			t[i] = imm
		}
	}
	fill(0x00, 0x01, immNone)  // unreachable, nop
	fill(0x02, 0x04, immBlock) // block, loop, if
	t[0x05] = immNone          // else
	t[0x0b] = immEnd
	fill(0x0c, 0x0d, immIndex) // br, br_if
	t[0x0e] = immTable         // br_table
	t[0x0f] = immNone          // return
	t[0x10] = immIndex         // call
	t[0x11] = immIndex2        // call_indirect
	t[0x12] = immIndex         // return_call
	t[0x13] = immIndex2        // return_call_indirect
	fill(0x1a, 0x1b, immNone)  // drop, select
	t[0x1c] = immTypes         // select with types
	fill(0x20, 0x26, immIndex) // local.*, global.*, table.get, table.set
	fill(0x28, 0x3e, immMemArg)
	fill(0x3f, 0x40, immIndex) // memory.size, memory.grow
	t[0x41] = immI32
	t[0x42] = immI64
	t[0x43] = imm4
	t[0x44] = imm8
	fill(0x45, 0xc4, immNone) // the numeric instructions, sign extension
	t[0xd0] = immHeapType     // ref.null
	t[0xd1] = immNone         // ref.is_null
	t[0xd2] = immIndex        // ref.func
	t[0xfc] = immMisc
	t[0xfd] = immVector
	return t
}

// misc holds those of the instructions that begin with the byte 0xfc.
var misc = [...]immediate{
	immNone, immNone, immNone, immNone, immNone, immNone, immNone, immNone, // saturating truncation
	8:             immIndex2, // memory.init
	miscDataDrop:  immIndex,
	10:            immIndex2, // memory.copy
	11:            immIndex,  // memory.fill
	miscTableInit: immIndex2,
	miscElemDrop:  immIndex,
	miscTableCopy: immIndex2,
	miscTableGrow: immIndex,
	16:            immIndex, // table.size
	miscTableFill: immIndex,
}

// lastVector is the last of the relaxed vector instructions.
const lastVector = 0x113

// vectorImmediate gives that of an instruction that begins with the byte 0xfd.
// Numbers not given out count as instructions without one: the engine refuses
// them.
func vectorImmediate(op uint32) immediate {
	switch {
	case op <= 11, op == 92, op == 93: // loads and stores
		return immMemArg
	case op == 12, op == 13: // v128.const, i8x16.shuffle
		return imm16
	case op >= 21 && op <= 34: // extract_lane, replace_lane
		return imm1
	case op >= 84 && op <= 91: // load_lane, store_lane
		return immMemLane
	case op <= lastVector:
		return immNone
	}
	return immUnknown
}
