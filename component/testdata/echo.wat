;; Exports echo: func(s: string) -> string, which returns what it was given from
;; its own memory, with a bump allocator and a post-return that counts.
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (global $posts (mut i32) (i32.const 0))
    (func (export "realloc") (param $old i32) (param $osz i32) (param $align i32) (param $new i32) (result i32)
      (local $p i32)
      (local.set $p
        (i32.and
          (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $p) (local.get $new)))
      (block $fits
        (loop $grow
          (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
          (br $grow)))
      (memory.copy (local.get $p) (local.get $old)
        (select (local.get $osz) (local.get $new) (i32.lt_u (local.get $osz) (local.get $new))))
      (local.get $p))
    (func (export "echo") (param $p i32) (param $n i32) (result i32)
      (i32.store (i32.const 16) (local.get $p))
      (i32.store (i32.const 20) (local.get $n))
      (i32.const 16))
    (func (export "post-echo") (param i32)
      (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
    (func (export "posts") (result i32) (global.get $posts)))
  (core instance $i (instantiate $m))
  (func (export "echo") (param "s" string) (result string)
    (canon lift (core func $i "echo")
      (memory $i "memory") (realloc (func $i "realloc")) (post-return (func $i "post-echo"))))
  (func (export "posts") (result u32)
    (canon lift (core func $i "posts"))))
