;; A guest that tries to hand something on to its next request, by every means
;; that a guest has. For each means there are two functions: "plant" leaves a
;; number behind, "peek" looks whether one was left. Both take the place of the
;; means in the list that the test keeps, which is the order of the tables below.
;;
;; Beside them it has every way to end a request badly.
(component
  (import "test:host/api" (instance $api
    (export "r" (type $r (sub resource)))
    (export "make" (func (result (own $r))))
    (export "tell" (func (result u32)))
    (export "fail" (func))
    (export "panic" (func))
    (export "block" (func))
    (export "leave" (func))))
  (alias export $api "r" (type $r))
  (type $own (resource (rep i32)))
  (core func $new (canon resource.new $own))
  (core func $make (canon lower (func $api "make")))
  (core func $tell (canon lower (func $api "tell")))
  (core func $fail (canon lower (func $api "fail")))
  (core func $panic (canon lower (func $api "panic")))
  (core func $block (canon lower (func $api "block")))
  (core func $leave (canon lower (func $api "leave")))

  ;; Memory of $main: data at 1024, a buffer for results at 2048, a shadow stack
  ;; that grows down from 8192, a heap from 12288, and what the start function
  ;; wrote at 70000.
  (core module $main
    (type $peek (func (result i64)))
    (type $plant (func (param i64)))
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "make" (func $make (result i32)))
    (memory (export "memory") 3 1024)
    (data (i32.const 1024) "what every instance begins with")
    (data $passive "SEGMENT!")
    (func $start (i64.store (i32.const 70000) (i64.const 4711)))
    (start $start)

    ;; Globals. Two begin as NaNs with a payload, which arithmetic would lose.
    (global $i32 (mut i32) (i32.const 32))
    (global $i64 (mut i64) (i64.const 64))
    (global $f32 (mut f32) (f32.const nan:0x200001))
    (global $f64 (mut f64) (f64.const nan:0x4000000000001))
    (global $v128 (mut v128) (v128.const i64x2 0x7ff0000000000001 128))
    (global $funcref (mut funcref) (ref.func $one))
    (global $null (mut funcref) (ref.null func))
    (global $shared (export "shared") (mut i64) (i64.const 77))
    (func $peek-i32 (type $peek) (i64.extend_i32_u (global.get $i32)))
    (func $plant-i32 (type $plant) (global.set $i32 (i32.wrap_i64 (local.get 0))))
    (func $peek-i64 (type $peek) (global.get $i64))
    (func $plant-i64 (type $plant) (global.set $i64 (local.get 0)))
    (func $peek-f32 (type $peek) (i64.extend_i32_u (i32.reinterpret_f32 (global.get $f32))))
    (func $plant-f32 (type $plant) (global.set $f32 (f32.convert_i64_u (local.get 0))))
    (func $peek-f64 (type $peek) (i64.reinterpret_f64 (global.get $f64)))
    (func $plant-f64 (type $plant) (global.set $f64 (f64.convert_i64_u (local.get 0))))
    (func $peek-v128 (type $peek)
      (i64.xor (i64.rotl (i64x2.extract_lane 0 (global.get $v128)) (i64.const 7)) (i64x2.extract_lane 1 (global.get $v128))))
    (func $plant-v128 (type $plant) (global.set $v128 (i64x2.replace_lane 1 (global.get $v128) (local.get 0))))
    (func $peek-funcref (type $peek) (call $which (global.get $funcref)))
    (func $plant-funcref (type $plant) (global.set $funcref (ref.func $two)))
    (func $peek-null (type $peek) (call $which (global.get $null)))
    (func $plant-null (type $plant) (global.set $null (ref.func $three)))

    ;; Memory.
    (func $peek-low (type $peek) (i64.load (i32.const 8)))
    (func $plant-low (type $plant) (i64.store (i32.const 8) (local.get 0)))
    (func $peek-last (type $peek) (i64.load (i32.const 196600)))
    (func $plant-last (type $plant) (i64.store (i32.const 196600) (local.get 0)))
    (func $peek-data (type $peek) (i64.load (i32.const 1027)))
    (func $plant-data (type $plant) (i64.store (i32.const 1027) (local.get 0)))
    (func $peek-started (type $peek) (i64.load (i32.const 70000)))
    (func $plant-started (type $plant) (i64.store (i32.const 70000) (local.get 0)))
    (func $peek-all (type $peek) (local $at i32) (local $sum i64)
      (loop $next
        (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 1)) (i64.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 196608))))
      (local.get $sum))
    (func $plant-all (type $plant) (memory.fill (i32.const 0) (i32.wrap_i64 (local.get 0)) (i32.const 196608)))

    ;; What a function leaves on the shadow stack when it returns.
    (global $sp (mut i32) (i32.const 8192))
    (func $peek-stack (type $peek) (i64.load (i32.sub (global.get $sp) (i32.const 16))))
    (func $plant-stack (type $plant)
      (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
      (i64.store (global.get $sp) (local.get 0))
      (global.set $sp (i32.add (global.get $sp) (i32.const 16))))
    (func $peek-pointer (type $peek) (i64.extend_i32_u (global.get $sp)))
    (func $plant-pointer (type $plant) (global.set $sp (i32.const 4096)))

    ;; The heap: blocks are given out one after the other, and all are free when
    ;; the last one given out is.
    (global $heap (mut i32) (i32.const 12288))
    (func $malloc (param $n i32) (result i32)
      (global.get $heap)
      (global.set $heap (i32.add (global.get $heap) (i32.and (i32.add (local.get $n) (i32.const 7)) (i32.const -8)))))
    (func $free (global.set $heap (i32.const 12288)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $malloc (local.get 3)))
    (func $peek-heap (type $peek) (i64.load (call $malloc (i32.const 8))) (call $free))
    (func $plant-heap (type $plant) (i64.store (call $malloc (i32.const 8)) (local.get 0)) (call $free))
    (func $peek-allocated (type $peek) (i64.extend_i32_u (call $malloc (i32.const 0))))
    (func $plant-allocated (type $plant) (drop (call $malloc (i32.const 64))))
    (func $peek-lowered (type $peek) (i64.load (i32.const 12288)))
    (func (export "hear") (param i32 i32) (result i32) (local.get 1))
    (func (export "heard") (param i32) (call $free))
    (func $peek-returned (type $peek) (i64.load (i32.const 2064)))
    (func (export "say") (param i64) (result i32)
      (i32.store (i32.const 2048) (i32.const 2064))
      (i32.store (i32.const 2052) (i32.const 8))
      (i64.store (i32.const 2064) (i64.or (i64.and (local.get 0) (i64.const 0x0f0f0f0f0f0f0f0f)) (i64.const 0x4040404040404040)))
      (i32.const 2048))
    (func $by-call (type $plant) unreachable)

    ;; What memory grows by.
    (func $at-least (param $pages i32)
      (if (i32.lt_u (memory.size) (local.get $pages))
        (then (drop (memory.grow (i32.sub (local.get $pages) (memory.size)))))))
    (func $peek-size (type $peek) (i64.extend_i32_u (memory.size)))
    (func $plant-size (type $plant) (drop (memory.grow (i32.const 2))))
    (func $peek-grown (type $peek) (call $at-least (i32.const 4)) (i64.load (i32.const 200000)))
    (func $plant-grown (type $plant) (call $at-least (i32.const 4)) (i64.store (i32.const 200000) (local.get 0)))
    (func $peek-far (type $peek) (call $at-least (i32.const 64)) (i64.load (i32.const 4194296)))
    (func $plant-far (type $plant) (call $at-least (i32.const 64)) (i64.store (i32.const 4194296) (local.get 0)))
    ;; More runs of written pages than one look at them finds.
    (func $peek-stripes (type $peek) (local $at i32) (local $sum i64)
      (call $at-least (i32.const 64))
      (local.set $at (i32.const 196608))
      (loop $next
        (local.set $sum (i64.add (local.get $sum) (i64.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8192)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 4194304))))
      (local.get $sum))
    (func $plant-stripes (type $plant) (local $at i32)
      (call $at-least (i32.const 64))
      (local.set $at (i32.const 196608))
      (loop $next
        (i64.store (local.get $at) (local.get 0))
        (local.set $at (i32.add (local.get $at) (i32.const 8192)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 4194304)))))
    ;; More memory than an instance may keep between requests.
    (func $peek-flood (type $peek) (call $at-least (i32.const 323)) (i64.load (i32.const 21000000)))
    (func $plant-flood (type $plant)
      (call $at-least (i32.const 323))
      (memory.fill (i32.const 196608) (i32.wrap_i64 (local.get 0)) (i32.const 20971520)))

    ;; Tables.
    (func $one (type $peek) (i64.const 1))
    (func $two (type $peek) (i64.const 2))
    (func $three (type $peek) (i64.const 3))
    (elem declare func $one $two $three)
    (table $t (export "t") 8 funcref)
    (elem (table $t) (i32.const 0) func $one $one $one $one $one $one)
    (elem $segment func $two $three)
    (table $scratch 1 funcref)
    (func $which (param $f funcref) (result i64)
      (if (ref.is_null (local.get $f)) (then (return (i64.const 0))))
      (table.set $scratch (i32.const 0) (local.get $f))
      (call_indirect $scratch (type $peek) (i32.const 0)))
    (func $peek-scratch (type $peek) (i64.extend_i32_u (ref.is_null (table.get $scratch (i32.const 0)))))
    (func $plant-scratch (type $plant) (drop (call $which (ref.func $one))))
    (func $peek-set (type $peek) (call $which (table.get $t (i32.const 0))))
    (func $plant-set (type $plant) (table.set $t (i32.const 0) (ref.func $two)))
    (func $peek-cleared (type $peek) (call $which (table.get $t (i32.const 1))))
    (func $plant-cleared (type $plant) (table.set $t (i32.const 1) (ref.null func)))
    (func $peek-fill (type $peek) (i64.add (call $which (table.get $t (i32.const 2))) (call $which (table.get $t (i32.const 7)))))
    (func $plant-fill (type $plant) (table.fill $t (i32.const 2) (ref.func $three) (i32.const 6)))
    (func $peek-copy (type $peek) (call $which (table.get $t (i32.const 6))))
    (func $plant-copy (type $plant) (table.copy $t $t (i32.const 6) (i32.const 0) (i32.const 1)))
    (func $peek-init (type $peek) (call $which (table.get $t (i32.const 3))))
    (func $plant-init (type $plant) (table.init $t $segment (i32.const 3) (i32.const 1) (i32.const 1)))
    (func $peek-given (type $peek) (call $which (table.get $t (i32.const 4))))
    (func $peek-shared (type $peek) (global.get $shared))
    (func $peek-written (type $peek) (i64.load (i32.const 150000)))

    ;; Handles: the first one given out is 1.
    (func $peek-own (type $peek) (i64.extend_i32_u (call $new (i32.const 5))))
    (func $plant-own (type $plant) (drop (call $new (i32.wrap_i64 (local.get 0)))))
    (func $peek-host (type $peek) (i64.extend_i32_u (call $make)))
    (func $plant-host (type $plant) (drop (call $make)))

    (table $peeks funcref (elem
      $peek-i32 $peek-i64 $peek-f32 $peek-f64 $peek-v128 $peek-funcref $peek-null
      $peek-low $peek-last $peek-data $peek-started $peek-all
      $peek-stack $peek-pointer $peek-heap $peek-allocated $peek-lowered $peek-returned
      $peek-size $peek-grown $peek-far $peek-stripes $peek-flood
      $peek-scratch $peek-set $peek-cleared $peek-fill $peek-copy $peek-init
      $peek-own $peek-host
      $peek-given $peek-shared $peek-written))
    (table $plants funcref (elem
      $plant-i32 $plant-i64 $plant-f32 $plant-f64 $plant-v128 $plant-funcref $plant-null
      $plant-low $plant-last $plant-data $plant-started $plant-all
      $plant-stack $plant-pointer $plant-heap $plant-allocated $by-call $by-call
      $plant-size $plant-grown $plant-far $plant-stripes $plant-flood
      $plant-scratch $plant-set $plant-cleared $plant-fill $plant-copy $plant-init
      $plant-own $plant-host
      $by-call $by-call $by-call))
    (func (export "peek") (param i32) (result i64) (call_indirect $peeks (type $peek) (local.get 0)))
    (func (export "plant") (param i32 i64) (call_indirect $plants (type $plant) (local.get 1) (local.get 0)))
    (func (export "means") (result i32) (table.size $peeks))

    (func $deep (export "overflow") (param i64) (result i64)
      (i64.store (i32.const 16) (local.get 0))
      (i64.add (call $deep (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))
    (func (export "trap") (i64.store (i32.const 24) (i64.const -1)) unreachable)
    (func (export "outside") (i64.store (i32.const 32) (i64.const -1)) (i64.store (i32.const -8) (i64.const 1)))
    (func (export "spin") (loop $l (i64.store (i32.const 40) (i64.add (i64.load (i32.const 40)) (i64.const 1))) (br $l))))
  (core instance $main (instantiate $main (with "host" (instance
    (export "new" (func $new)) (export "make" (func $make))))))

  ;; A neighbour with state of its own, which reaches into that of $main.
  (core module $neighbour
    (type $peek (func (result i64)))
    (type $plant (func (param i64)))
    (import "main" "memory" (memory $theirs 3))
    (import "main" "t" (table $t 8 funcref))
    (import "main" "shared" (global $shared (mut i64)))
    (memory $mine 1 8)
    (global $g (mut f64) (f64.const 2.5))
    (elem declare func $four)
    (func $four (type $peek) (i64.const 4))
    (func $peek-global (type $peek) (i64.reinterpret_f64 (global.get $g)))
    (func $plant-global (type $plant) (global.set $g (f64.convert_i64_u (local.get 0))))
    (func $peek-memory (type $peek) (i64.load $mine (i32.const 65528)))
    (func $plant-memory (type $plant) (i64.store $mine (i32.const 65528) (local.get 0)))
    (func $peek-size (type $peek) (i64.extend_i32_u (memory.size $mine)))
    (func $plant-size (type $plant) (drop (memory.grow $mine (i32.const 1))))
    (func $peek-grown (type $peek)
      (if (i32.eq (memory.size $mine) (i32.const 1)) (then (drop (memory.grow $mine (i32.const 1)))))
      (i64.load $mine (i32.const 65536)))
    (func $plant-grown (type $plant)
      (if (i32.eq (memory.size $mine) (i32.const 1)) (then (drop (memory.grow $mine (i32.const 1)))))
      (i64.store $mine (i32.const 65536) (local.get 0)))
    (func $peek-copied (type $peek) (i64.load $mine (i32.const 512)))
    (func $plant-copied (type $plant) (memory.copy $mine $theirs (i32.const 512) (i32.const 1024) (i32.const 31)))
    (func $plant-given (type $plant) (table.set $t (i32.const 4) (ref.func $four)))
    (func $plant-shared (type $plant) (global.set $shared (local.get 0)))
    (func $plant-written (type $plant) (i64.store $theirs (i32.const 150000) (local.get 0)))
    (table $peeks funcref (elem $peek-global $peek-memory $peek-size $peek-grown $peek-copied))
    (table $plants funcref (elem
      $plant-global $plant-memory $plant-size $plant-grown $plant-copied
      $plant-given $plant-shared $plant-written))
    (func (export "peek") (param i32) (result i64) (call_indirect $peeks (type $peek) (local.get 0)))
    (func (export "plant") (param i32 i64) (call_indirect $plants (type $plant) (local.get 1) (local.get 0))))
  (core instance $neighbour (instantiate $neighbour (with "main" (instance $main))))

  (core module $faults
    (import "host" "tell" (func $tell (result i32)))
    (import "host" "fail" (func $fail))
    (import "host" "panic" (func $panic))
    (import "host" "block" (func $block))
    (import "host" "leave" (func $leave))
    (func (export "tell") (result i32) (call $tell))
    (func (export "fail") (call $fail))
    (func (export "panic") (call $panic))
    (func (export "block") (call $block))
    (func (export "leave-spinning") (call $leave) (loop $l (br $l)))
    (func (export "leave-blocked") (call $leave) (call $block)))
  (core instance $faults (instantiate $faults (with "host" (instance
    (export "tell" (func $tell)) (export "fail" (func $fail)) (export "panic" (func $panic))
    (export "block" (func $block)) (export "leave" (func $leave))))))

  (func (export "peek") (param "means" u32) (result u64) (canon lift (core func $main "peek")))
  (func (export "plant") (param "means" u32) (param "what" u64) (canon lift (core func $main "plant")))
  (func (export "neighbour-peek") (param "means" u32) (result u64) (canon lift (core func $neighbour "peek")))
  (func (export "neighbour-plant") (param "means" u32) (param "what" u64) (canon lift (core func $neighbour "plant")))
  (func (export "hear") (param "what" string) (result u32) (canon lift (core func $main "hear")
    (memory $main "memory") (realloc (func $main "realloc")) (post-return (func $main "heard"))))
  (func (export "say") (param "what" u64) (result string) (canon lift (core func $main "say")
    (memory $main "memory") (realloc (func $main "realloc"))))
  (func (export "means") (result u32) (canon lift (core func $main "means")))
  (func (export "overflow") (param "from" u64) (result u64) (canon lift (core func $main "overflow")))
  (func (export "trap") (canon lift (core func $main "trap")))
  (func (export "outside") (canon lift (core func $main "outside")))
  (func (export "spin") (canon lift (core func $main "spin")))
  (func (export "tell") (result u32) (canon lift (core func $faults "tell")))
  (func (export "fail") (canon lift (core func $faults "fail")))
  (func (export "panic") (canon lift (core func $faults "panic")))
  (func (export "block") (canon lift (core func $faults "block")))
  (func (export "leave-spinning") (canon lift (core func $faults "leave-spinning")))
  (func (export "leave-blocked") (canon lift (core func $faults "leave-blocked"))))
