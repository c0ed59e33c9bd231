package binary

// Form names something in a component that is newer than Wasmtime 39, or that
// it keeps switched off. The decoder reads all of these; whether to run them is
// the linker's decision.
type Form string

// The newer forms.
const (
	FormAsyncFunc      Form = "async function type"
	FormStream         Form = "stream type"
	FormFuture         Form = "future type"
	FormErrorContext   Form = "error-context"
	FormMap            Form = "map type"
	FormFixedList      Form = "fixed-length list"
	FormAsyncOption    Form = "async canonical option"
	FormAsyncBuiltin   Form = "async built-in"
	FormThreadBuiltin  Form = "thread built-in"
	FormGC             Form = "GC canonical option"
	FormValue          Form = "component value"
	FormStart          Form = "start function of a component"
	FormDigitWord      Form = "kebab-case word that starts with a digit"
	FormNameAttributes Form = "name attribute"
	FormCanonVersion   Form = "canonical interface version"
	FormException      Form = "exception tag or reference"
	FormCoreGC         Form = "garbage-collected core type"
)
