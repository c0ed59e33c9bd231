;; What a toolchain makes of a module: a table filled late, so that lowered
;; functions can use the memory of the module which imports them.
(component
  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
    (export "now" (func (result u64)))))
  (import "log" (func $log (param "text" string)))
  (core module $main
    (import "log" "log" (func (param i32 i32)))
    (import "wasi:clocks/monotonic-clock@0.2.3" "now" (func (result i64)))
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "greet") (param i32 i32) (result i32) unreachable)
    (func (export "cabi_post_greet") (param i32)))
  (core module $shim
    (table (export "$imports") 1 funcref)
    (global (export "count") i32 (i32.const 1))
    (type $t (func (param i32 i32)))
    (func (export "0") (type $t) (call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 0))))
  (core module $fixup
    (import "" "0" (func $f (param i32 i32)))
    (import "" "$imports" (table 1 funcref))
    (elem (i32.const 0) func $f))
  (core instance $shim (instantiate $shim))
  (alias core export $shim "0" (core func $shim-log))
  (core instance $log-instance (export "log" (func $shim-log)))
  (core func $now (canon lower (func $clock "now")))
  (core instance $clock-instance (export "now" (func $now)))
  (core instance $main (instantiate $main
    (with "log" (instance $log-instance))
    (with "wasi:clocks/monotonic-clock@0.2.3" (instance $clock-instance))))
  (alias core export $main "memory" (core memory $memory))
  (alias core export $main "cabi_realloc" (core func $realloc))
  (alias core export $shim "$imports" (core table $table))
  (alias core export $shim "count" (core global $count))
  (core func $log-lowered (canon lower (func $log) (memory $memory) string-encoding=latin1+utf16))
  (core instance $fixup-args
    (export "$imports" (table $table))
    (export "0" (func $log-lowered))
    (export "count" (global $count)))
  (core instance (instantiate $fixup (with "" (instance $fixup-args))))
  (type $greet (func (param "name" string) (result string)))
  (alias core export $main "greet" (core func $greet-core))
  (alias core export $main "cabi_post_greet" (core func $greet-post))
  (func $greet (type $greet) (canon lift (core func $greet-core)
    (memory $memory) (realloc $realloc) (post-return $greet-post) string-encoding=utf16))
  (export $greet-export "greet" (func $greet) (func (type $greet)))
  (instance $iface (export "greet" (func $greet)))
  (export "example:greet/greeter@1.0.0" (instance $iface))
)
