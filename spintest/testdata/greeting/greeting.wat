;; A program that says what it does on standard error, and answers on standard
;; output.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "Content-Type: text/plain\n\nHello, world!")
  (data (i32.const 128) "greeting somebody\n")
  (data (i32.const 0) "\20\00\00\00\27\00\00\00")
  (data (i32.const 8) "\80\00\00\00\12\00\00\00")
  (func (export "_start")
    (drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
