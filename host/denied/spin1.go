package denied

import (
	"github.com/minispin/minispin/component"
	spin1keyvalue "github.com/minispin/minispin/wit/bindings/fermyon/spin1/keyvalue"
	spin1llm "github.com/minispin/minispin/wit/bindings/fermyon/spin1/llm"
	spin1mysql "github.com/minispin/minispin/wit/bindings/fermyon/spin1/mysql"
	spin1postgres "github.com/minispin/minispin/wit/bindings/fermyon/spin1/postgres"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/rdbmstypes"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/redistypes"
	spin1sqlite "github.com/minispin/minispin/wit/bindings/fermyon/spin1/sqlite"
	"github.com/minispin/minispin/wit/value"
)

// This file denies the interfaces of Spin 1. Most name stores and connections by
// number or address in every call, so that every call has to be denied.

type keyValueV1 struct{}

var noStoreV1 = spin1keyvalue.Error{Case: spin1keyvalue.ErrorInvalidStore}

func (keyValueV1) Open(*component.Call, string) (spin1keyvalue.Store, error) {
	return 0, spin1keyvalue.Error{Case: spin1keyvalue.ErrorAccessDenied}
}

func (keyValueV1) Get(*component.Call, spin1keyvalue.Store, string) ([]byte, error) {
	return nil, noStoreV1
}

func (keyValueV1) Set(*component.Call, spin1keyvalue.Store, string, []byte) error { return noStoreV1 }

func (keyValueV1) Delete(*component.Call, spin1keyvalue.Store, string) error { return noStoreV1 }

func (keyValueV1) Exists(*component.Call, spin1keyvalue.Store, string) (bool, error) {
	return false, noStoreV1
}

func (keyValueV1) GetKeys(*component.Call, spin1keyvalue.Store) ([]string, error) {
	return nil, noStoreV1
}

// Close has no error to give.
func (keyValueV1) Close(*component.Call, spin1keyvalue.Store) error { return nil }

type llmV1 struct{}

func (llmV1) Infer(_ *component.Call, model spin1llm.InferencingModel, _ string, _ value.Option[spin1llm.InferencingParams]) (spin1llm.InferencingResult, error) {
	return spin1llm.InferencingResult{}, spin1llm.Error{Case: spin1llm.ErrorInvalidInput, InvalidInput: noAccess(model)}
}

func (llmV1) GenerateEmbeddings(_ *component.Call, model spin1llm.EmbeddingModel, _ []string) (spin1llm.EmbeddingsResult, error) {
	return spin1llm.EmbeddingsResult{}, spin1llm.Error{Case: spin1llm.ErrorInvalidInput, InvalidInput: noAccess(model)}
}

type mysqlV1 struct{}

func (mysqlV1) Query(_ *component.Call, address, _ string, _ []rdbmstypes.ParameterValue) (rdbmstypes.RowSet, error) {
	return rdbmstypes.RowSet{}, mysqlDeniedV1(address)
}

func (mysqlV1) Execute(_ *component.Call, address, _ string, _ []rdbmstypes.ParameterValue) error {
	return mysqlDeniedV1(address)
}

func mysqlDeniedV1(address string) error {
	return spin1mysql.MysqlError{Case: spin1mysql.MysqlErrorConnectionFailed, ConnectionFailed: notPermitted(address)}
}

type postgresV1 struct{}

func (postgresV1) Query(_ *component.Call, address, _ string, _ []rdbmstypes.ParameterValue) (rdbmstypes.RowSet, error) {
	return rdbmstypes.RowSet{}, postgresDeniedV1(address)
}

func (postgresV1) Execute(_ *component.Call, address, _ string, _ []rdbmstypes.ParameterValue) (uint64, error) {
	return 0, postgresDeniedV1(address)
}

func postgresDeniedV1(address string) error {
	return spin1postgres.PgError{Case: spin1postgres.PgErrorConnectionFailed, ConnectionFailed: postgresNotPermitted(address)}
}

// redisV1 has one error for everything.
type redisV1 struct{}

func (redisV1) Publish(*component.Call, string, string, redistypes.Payload) error {
	return redistypes.ErrorError
}

func (redisV1) Get(*component.Call, string, string) (redistypes.Payload, error) {
	return nil, redistypes.ErrorError
}

func (redisV1) Set(*component.Call, string, string, redistypes.Payload) error {
	return redistypes.ErrorError
}

func (redisV1) Incr(*component.Call, string, string) (int64, error) { return 0, redistypes.ErrorError }

func (redisV1) Del(*component.Call, string, []string) (int64, error) {
	return 0, redistypes.ErrorError
}

func (redisV1) Sadd(*component.Call, string, string, []string) (int64, error) {
	return 0, redistypes.ErrorError
}

func (redisV1) Smembers(*component.Call, string, string) ([]string, error) {
	return nil, redistypes.ErrorError
}

func (redisV1) Srem(*component.Call, string, string, []string) (int64, error) {
	return 0, redistypes.ErrorError
}

func (redisV1) Execute(*component.Call, string, string, []redistypes.RedisParameter) ([]redistypes.RedisResult, error) {
	return nil, redistypes.ErrorError
}

type sqliteV1 struct{}

func (sqliteV1) Open(*component.Call, string) (spin1sqlite.Connection, error) {
	return 0, spin1sqlite.Error{Case: spin1sqlite.ErrorAccessDenied}
}

func (sqliteV1) Execute(*component.Call, spin1sqlite.Connection, string, []spin1sqlite.Value) (spin1sqlite.QueryResult, error) {
	return spin1sqlite.QueryResult{}, spin1sqlite.Error{Case: spin1sqlite.ErrorInvalidConnection}
}

// Close has no error to give.
func (sqliteV1) Close(*component.Call, spin1sqlite.Connection) error { return nil }
