package spinheader

import "testing"

func TestValidName(t *testing.T) {
	for _, name := range []string{"accept", "X-1", "a_b", "!#$%&'*+-.^_`|~"} {
		if !ValidName(name) {
			t.Errorf("ValidName(%q) is false", name)
		}
	}
	for _, name := range []string{"", "a b", "a:b", ":authority", "a\r\nb", "é", "a\x00", "a/b", "(a)", "a\x7f"} {
		if ValidName(name) {
			t.Errorf("ValidName(%q) is true", name)
		}
	}
}

func TestValidValue(t *testing.T) {
	for _, value := range []string{"", "a b", "a\tb", "é", "\xff", `"q"`} {
		if !ValidValue(value) {
			t.Errorf("ValidValue(%q) is false", value)
		}
	}
	for _, value := range []string{"a\r\nb: c", "a\nb", "a\x00", "a\x7f", "\x1b[31m"} {
		if ValidValue(value) {
			t.Errorf("ValidValue(%q) is true", value)
		}
	}
}
