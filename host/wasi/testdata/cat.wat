;; Copies the standard input to the standard output, waiting with poll before
;; each read, sleeps for the time it is given and exits with the code it is given.
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error (type $e))
    (alias outer 1 $pollable (type $p))
    (type $se (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $se)))
    (export "input-stream" (type $in (sub resource)))
    (export "output-stream" (type $out (sub resource)))
    (export "[method]input-stream.read" (func (param "self" (borrow $in)) (param "len" u64)
      (result (result (list u8) (error $stream-error)))))
    (export "[method]input-stream.subscribe" (func (param "self" (borrow $in)) (result (own $p))))
    (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $out))
      (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input-stream))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input-stream (type $in))
    (export "get-stdin" (func (result (own $in))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $out))
    (export "get-stdout" (func (result (own $out))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit
    (export "exit" (func (param "status" (result))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))

  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $next) (i32.const 60000)) (then (global.set $next (i32.const 4096))))
      (local.get $at)))
  (core instance $libc (instantiate $libc))

  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $poll (canon lower (func $poll "poll")
    (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $read (canon lower (func $streams "[method]input-stream.read")
    (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $subscribe (canon lower (func $streams "[method]input-stream.subscribe")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory $libc "memory")))
  (core func $get-stdin (canon lower (func $stdin "get-stdin")))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $after (canon lower (func $clock "subscribe-duration")))
  (core func $drop-pollable (canon resource.drop $pollable))
  (core func $drop-input (canon resource.drop $input-stream))

  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "block" (func $block (param i32)))
    (import "host" "poll" (func $poll (param i32 i32 i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (import "host" "subscribe" (func $subscribe (param i32) (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "get-stdin" (func $get-stdin (result i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "exit" (func $exit (param i32)))
    (import "host" "after" (func $after (param i64) (result i32)))
    (import "host" "drop-pollable" (func $drop-pollable (param i32)))
    (import "host" "drop-input" (func $drop-input (param i32)))

    ;; The list of pollables is at 0, results of calls at 64 and 128.
    (func (export "run") (param $sleep i64) (param $status i32)
      (local $in i32) (local $out i32) (local $p i32)
      ;; A handle dropped does not close the stream for the next one.
      (call $drop-input (call $get-stdin))
      (local.set $in (call $get-stdin))
      (local.set $out (call $get-stdout))
      (block $end
        (loop $more
          (local.set $p (call $subscribe (local.get $in)))
          (i32.store (i32.const 0) (local.get $p))
          (call $poll (i32.const 0) (i32.const 1) (i32.const 64))
          (if (i32.ne (i32.load (i32.const 68)) (i32.const 1)) (then unreachable))
          (call $drop-pollable (local.get $p))
          (call $read (local.get $in) (i64.const 10) (i32.const 64))
          (if (i32.load8_u (i32.const 64)) (then
            ;; closed is the only good end
            (if (i32.ne (i32.load8_u (i32.const 68)) (i32.const 1)) (then unreachable))
            (br $end)))
          (call $write (local.get $out) (i32.load (i32.const 68)) (i32.load (i32.const 72)) (i32.const 128))
          (if (i32.load8_u (i32.const 128)) (then unreachable))
          (br $more)))
      (local.set $p (call $after (local.get $sleep)))
      (call $block (local.get $p))
      (call $drop-pollable (local.get $p))
      (if (i32.ge_s (local.get $status) (i32.const 0)) (then (call $exit (local.get $status)))))
    ;; An empty list of pollables is not to be waited for.
    (func (export "poll-none") (call $poll (i32.const 0) (i32.const 0) (i32.const 64))))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "block" (func $block))
      (export "poll" (func $poll))
      (export "read" (func $read))
      (export "subscribe" (func $subscribe))
      (export "write" (func $write))
      (export "get-stdin" (func $get-stdin))
      (export "get-stdout" (func $get-stdout))
      (export "exit" (func $exit))
      (export "after" (func $after))
      (export "drop-pollable" (func $drop-pollable))
      (export "drop-input" (func $drop-input))))))
  (func (export "run") (param "sleep" u64) (param "status" s32) (canon lift (core func $main "run")))
  (func (export "poll-none") (canon lift (core func $main "poll-none"))))
