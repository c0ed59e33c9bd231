;; A guest that uses the interface things through every kind of function, and
;; exports the interface user.
(component
  (import "test:demo/values@1.2.3" (instance $values
    (type $def (variant (case "on") (case "off")))
    (export "plain" (type (eq $def)))))
  (alias export $values "plain" (type $plain))
  (import "test:demo/things@1.2.3" (instance $things
    (alias outer 1 $plain (type $outer-plain))
    (export "plain" (type $plain (eq $outer-plain)))
    (export "thing" (type $thing (sub resource)))
    (export "widget" (type $widget (eq $thing)))
    (type $def (variant (case "broken" (own $thing)) (case "empty") (case "odd" $plain)))
    (export "problem" (type $problem (eq $def)))
    (export "[constructor]thing" (func (param "name" string) (result (own $thing))))
    (export "[method]thing.name" (func (param "self" (borrow $thing)) (result string)))
    (export "[method]thing.rename" (func (param "self" (borrow $thing)) (param "to" string)
      (result (result string (error $problem)))))
    (export "[static]thing.join" (func (param "a" (own $thing)) (param "b" (borrow $thing))
      (result (result (own $thing) (error $problem)))))
    (export "count" (func (param "all" (list (borrow $widget))) (result u32)))
    (export "pass" (func (param "t" (option (own $widget))) (result (list (own $thing)))))))
  (alias export $things "thing" (type $thing))
  (alias export $things "problem" (type $problem))

  (core module $Libc
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $ptr i32)
      (local.set $ptr (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $ptr) (local.get 3)))
      (local.get $ptr)))
  (core instance $libc (instantiate $Libc))
  (alias core export $libc "memory" (core memory $mem))

  (core func $new (canon lower (func $things "[constructor]thing") (memory $mem)))
  (core func $name (canon lower (func $things "[method]thing.name") (memory $mem) (realloc (func $libc "realloc"))))
  (core func $rename (canon lower (func $things "[method]thing.rename") (memory $mem) (realloc (func $libc "realloc"))))
  (core func $join (canon lower (func $things "[static]thing.join") (memory $mem)))
  (core func $count (canon lower (func $things "count") (memory $mem)))
  (core func $pass (canon lower (func $things "pass") (memory $mem) (realloc (func $libc "realloc"))))
  (core func $drop (canon resource.drop $thing))

  (core module $Guest
    (import "host" "memory" (memory 1))
    (import "host" "new" (func $new (param i32 i32) (result i32)))
    (import "host" "name" (func $name (param i32 i32)))
    (import "host" "rename" (func $rename (param i32 i32 i32 i32)))
    (import "host" "join" (func $join (param i32 i32 i32)))
    (import "host" "count" (func $count (param i32 i32) (result i32)))
    (import "host" "pass" (func $pass (param i32 i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (data (i32.const 64) "temporary")

    (func (export "use-both") (param $t i32) (param $again i32) (result i32)
      (local $h i32)
      ;; a thing of our own, made and dropped
      (call $drop (call $new (i32.const 64) (i32.const 9)))
      ;; both handles in a list are counted
      (i32.store (i32.const 128) (local.get $t))
      (i32.store (i32.const 132) (local.get $again))
      (if (i32.ne (call $count (i32.const 128) (i32.const 2)) (i32.const 2)) (then unreachable))
      ;; t is taken, a joined one comes back
      (call $join (local.get $t) (local.get $again) (i32.const 144))
      (if (i32.load8_u (i32.const 144)) (then unreachable))
      (local.set $h (i32.load (i32.const 148)))
      ;; none gives an empty list, some gives a list of one
      (call $pass (i32.const 0) (i32.const 0) (i32.const 160))
      (if (i32.load (i32.const 164)) (then unreachable))
      (call $pass (i32.const 1) (local.get $h) (i32.const 160))
      (if (i32.ne (i32.load (i32.const 164)) (i32.const 1)) (then unreachable))
      (local.set $h (i32.load (i32.load (i32.const 160))))
      (call $name (local.get $h) (i32.const 176))
      (call $drop (local.get $h))
      (call $drop (local.get $again))
      (i32.const 176))

    (func (export "rename") (param $t i32) (param $to i32) (param $n i32) (result i32)
      (call $rename (local.get $t) (local.get $to) (local.get $n) (i32.const 192))
      (call $drop (local.get $t))
      (i32.const 192)))
  (core instance $guest (instantiate $Guest (with "host" (instance
    (export "memory" (memory $mem))
    (export "new" (func $new)) (export "name" (func $name)) (export "rename" (func $rename))
    (export "join" (func $join)) (export "count" (func $count)) (export "pass" (func $pass))
    (export "drop" (func $drop))))))

  (func $use-both (param "t" (own $thing)) (param "again" (borrow $thing)) (result string)
    (canon lift (core func $guest "use-both") (memory $mem)))
  (func $rename (param "t" (borrow $thing)) (param "to" string) (result (result string (error $problem)))
    (canon lift (core func $guest "rename") (memory $mem) (realloc (func $libc "realloc"))))
  (instance $user (export "use-both" (func $use-both)) (export "rename" (func $rename)))
  (export "test:demo/user@1.2.3" (instance $user)))
