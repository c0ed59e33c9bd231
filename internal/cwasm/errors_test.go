package cwasm

import "testing"

func TestFrameString(t *testing.T) {
	for _, tt := range []struct {
		frame Frame
		want  string
	}{
		{Frame{FuncIndex: 7, ModuleOffset: 0xffffffff}, "func[7]"},
		{Frame{Func: "main", Module: "app", ModuleOffset: 0x1f}, "app!main @ 0x1f"},
		{Frame{Func: "_RNvNtCsbJ8r6ikYm0K_14rust_wasi_http8failures4trap", ModuleOffset: 0xffffffff}, "rust_wasi_http::failures::trap"},
		{Frame{Func: "_ZN3std9panicking11begin_panic17h0123456789abcdefE", ModuleOffset: 0xffffffff}, "std::panicking::begin_panic"},
		{Frame{Func: "_Z3addii", ModuleOffset: 0xffffffff}, "add(int, int)"},
	} {
		if got := tt.frame.String(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.frame, got, tt.want)
		}
	}
}
