package denied

import (
	"errors"
	"reflect"
	"testing"

	"github.com/minispin/minispin/component"
	spin1keyvalue "github.com/minispin/minispin/wit/bindings/fermyon/spin1/keyvalue"
	spin1llm "github.com/minispin/minispin/wit/bindings/fermyon/spin1/llm"
	spin1mysql "github.com/minispin/minispin/wit/bindings/fermyon/spin1/mysql"
	spin1postgres "github.com/minispin/minispin/wit/bindings/fermyon/spin1/postgres"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/redistypes"
	spin1sqlite "github.com/minispin/minispin/wit/bindings/fermyon/spin1/sqlite"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin2/keyvalue"
	spin2llm "github.com/minispin/minispin/wit/bindings/fermyon/spin2/llm"
	spin2mqtt "github.com/minispin/minispin/wit/bindings/fermyon/spin2/mqtt"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin2/rdbmstypes"
	spin2redis "github.com/minispin/minispin/wit/bindings/fermyon/spin2/redis"
	spin2sqlite "github.com/minispin/minispin/wit/bindings/fermyon/spin2/sqlite"
	postgres3 "github.com/minispin/minispin/wit/bindings/spin/postgres3/postgres"
	postgres4 "github.com/minispin/minispin/wit/bindings/spin/postgres4/postgres"
	sqlite3 "github.com/minispin/minispin/wit/bindings/spin/sqlite3/sqlite"
	"github.com/minispin/minispin/wit/bindings/wasi/keyvaluedraft2/atomics"
	kvstore "github.com/minispin/minispin/wit/bindings/wasi/keyvaluedraft2/store"
	"github.com/minispin/minispin/wit/value"
)

// second drops the result that comes before an error.
func second[T any](_ T, err error) error { return err }

// TestDenials calls every function that can be reached. Generated code lowers an
// error as the interface's own only when it has exactly its type, so the types
// are compared, not just the texts.
func TestDenials(t *testing.T) {
	const address = "mysql://db.example/x"
	const refused = "address mysql://db.example/x is not permitted"
	const pgAddress = "postgresql://user:secret@db.example/x"
	const pgRefused = "address postgres://db.example:5432 is not permitted"
	const noModel = `the component does not have access to the model "m"`
	rdbms := rdbmstypes.Error{Case: rdbmstypes.ErrorConnectionFailed, ConnectionFailed: refused}
	pg4 := postgres4.Error{Case: postgres4.ErrorConnectionFailed, ConnectionFailed: pgRefused}
	my1 := spin1mysql.MysqlError{Case: spin1mysql.MysqlErrorConnectionFailed, ConnectionFailed: refused}
	pg1 := spin1postgres.PgError{Case: spin1postgres.PgErrorConnectionFailed, ConnectionFailed: pgRefused}
	v2llm := spin2llm.Error{Case: spin2llm.ErrorInvalidInput, InvalidInput: noModel}
	v1llm := spin1llm.Error{Case: spin1llm.ErrorInvalidInput, InvalidInput: noModel}
	kv1 := spin1keyvalue.Error{Case: spin1keyvalue.ErrorInvalidStore}
	kv := kvstore.Error{Case: kvstore.ErrorAccessDenied}
	none2 := value.None[spin2llm.InferencingParams]()
	none1 := value.None[spin1llm.InferencingParams]()
	for name, tt := range map[string]struct{ got, want error }{
		"bucket":   {second(buckets{}.Open(nil, "default")), kv},
		"cas":      {second(buckets{}.CasNew(nil, nil, "k")), kv},
		"incr":     {second(buckets{}.Increment(nil, nil, "k", 1)), kv},
		"swap":     {buckets{}.Swap(nil, nil, nil), atomics.CasError{Case: atomics.CasErrorStoreError, StoreError: kv}},
		"get-many": {second(buckets{}.GetMany(nil, nil, nil)), kv},
		"set-many": {buckets{}.SetMany(nil, nil, nil), kv},
		"del-many": {buckets{}.DeleteMany(nil, nil, nil), kv},

		"key-value":  {second(keyValue{}.StoreOpen(nil, "default")), keyvalue.Error{Case: keyvalue.ErrorAccessDenied}},
		"infer":      {second(llm{}.Infer(nil, "m", "hi", none2)), v2llm},
		"embed":      {second(llm{}.GenerateEmbeddings(nil, "m", nil)), v2llm},
		"mqtt":       {second(mqtt{}.ConnectionOpen(nil, address, "", "", 0)), spin2mqtt.Error{Case: spin2mqtt.ErrorConnectionFailed, ConnectionFailed: refused}},
		"redis":      {second(redis{}.ConnectionOpen(nil, address)), spin2redis.Error{Case: spin2redis.ErrorInvalidAddress}},
		"mysql":      {second(mysql{}.ConnectionOpen(nil, address)), rdbms},
		"postgres 2": {second(postgresV2{}.ConnectionOpen(nil, pgAddress)), rdbmstypes.Error{Case: rdbmstypes.ErrorConnectionFailed, ConnectionFailed: pgRefused}},
		"postgres 3": {second(postgresV3{}.ConnectionOpen(nil, pgAddress)), postgres3.Error{Case: postgres3.ErrorConnectionFailed, ConnectionFailed: pgRefused}},
		"postgres 4": {second(postgresV4{}.ConnectionOpen(nil, pgAddress)), pg4},
		"builder":    {second(builder{pgAddress}.Build(nil)), pg4},
		"sqlite 2":   {second(sqliteV2{}.ConnectionOpen(nil, "default")), spin2sqlite.Error{Case: spin2sqlite.ErrorAccessDenied}},
		"sqlite 3":   {second(sqliteV3{}.ConnectionOpen(nil, "default")), sqlite3.Error{Case: sqlite3.ErrorAccessDenied}},

		"open 1":       {second(keyValueV1{}.Open(nil, "default")), spin1keyvalue.Error{Case: spin1keyvalue.ErrorAccessDenied}},
		"get 1":        {second(keyValueV1{}.Get(nil, 1, "k")), kv1},
		"set 1":        {keyValueV1{}.Set(nil, 1, "k", nil), kv1},
		"delete 1":     {keyValueV1{}.Delete(nil, 1, "k"), kv1},
		"exists 1":     {second(keyValueV1{}.Exists(nil, 1, "k")), kv1},
		"get-keys 1":   {second(keyValueV1{}.GetKeys(nil, 1)), kv1},
		"infer 1":      {second(llmV1{}.Infer(nil, "m", "hi", none1)), v1llm},
		"embed 1":      {second(llmV1{}.GenerateEmbeddings(nil, "m", nil)), v1llm},
		"my query 1":   {second(mysqlV1{}.Query(nil, address, "", nil)), my1},
		"my exec 1":    {mysqlV1{}.Execute(nil, address, "", nil), my1},
		"pg query 1":   {second(postgresV1{}.Query(nil, pgAddress, "", nil)), pg1},
		"pg exec 1":    {second(postgresV1{}.Execute(nil, pgAddress, "", nil)), pg1},
		"publish 1":    {redisV1{}.Publish(nil, address, "", nil), redistypes.ErrorError},
		"redis get 1":  {second(redisV1{}.Get(nil, address, "")), redistypes.ErrorError},
		"redis set 1":  {redisV1{}.Set(nil, address, "", nil), redistypes.ErrorError},
		"redis incr 1": {second(redisV1{}.Incr(nil, address, "")), redistypes.ErrorError},
		"redis del 1":  {second(redisV1{}.Del(nil, address, nil)), redistypes.ErrorError},
		"sadd 1":       {second(redisV1{}.Sadd(nil, address, "", nil)), redistypes.ErrorError},
		"smembers 1":   {second(redisV1{}.Smembers(nil, address, "")), redistypes.ErrorError},
		"srem 1":       {second(redisV1{}.Srem(nil, address, "", nil)), redistypes.ErrorError},
		"execute 1":    {second(redisV1{}.Execute(nil, address, "", nil)), redistypes.ErrorError},
		"sqlite 1":     {second(sqliteV1{}.Open(nil, "default")), spin1sqlite.Error{Case: spin1sqlite.ErrorAccessDenied}},
		"sqlite run 1": {second(sqliteV1{}.Execute(nil, 1, "", nil)), spin1sqlite.Error{Case: spin1sqlite.ErrorInvalidConnection}},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %T %v, want %T %v", name, tt.got, tt.got, tt.want, tt.want)
		}
	}
}

func TestEmptyAnswers(t *testing.T) {
	if err := errors.Join((keyValueV1{}).Close(nil, 1), (sqliteV1{}).Close(nil, 1), builder{}.SetCaRoot(nil, "")); err != nil {
		t.Error(err)
	}
}

func TestDefineTwice(t *testing.T) {
	l := component.NewLinker()
	if err := Define(l); err != nil {
		t.Fatal(err)
	}
	if err := Define(l); err == nil {
		t.Error("the interfaces were defined twice")
	}
}
