package wit

//go:generate go run ./bindgen -skip-async -dir fermyon:spin=fermyon/spin1 -o bindings -import github.com/minispin/minispin/wit/bindings packages
