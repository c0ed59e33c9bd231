package denied

import (
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin2/keyvalue"
	spin2llm "github.com/minispin/minispin/wit/bindings/fermyon/spin2/llm"
	spin2mqtt "github.com/minispin/minispin/wit/bindings/fermyon/spin2/mqtt"
	spin2mysql "github.com/minispin/minispin/wit/bindings/fermyon/spin2/mysql"
	spin2postgres "github.com/minispin/minispin/wit/bindings/fermyon/spin2/postgres"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin2/rdbmstypes"
	spin2redis "github.com/minispin/minispin/wit/bindings/fermyon/spin2/redis"
	spin2sqlite "github.com/minispin/minispin/wit/bindings/fermyon/spin2/sqlite"
	postgres3 "github.com/minispin/minispin/wit/bindings/spin/postgres3/postgres"
	postgres4 "github.com/minispin/minispin/wit/bindings/spin/postgres4/postgres"
	sqlite3 "github.com/minispin/minispin/wit/bindings/spin/sqlite3/sqlite"
	"github.com/minispin/minispin/wit/value"
)

// notPermitted is the text that goes with the denial of an address.
func notPermitted(address string) string {
	return fmt.Sprintf("address %s is not permitted", address)
}

// noAccess is the text that goes with the denial of a model.
func noAccess(model string) string {
	return fmt.Sprintf("the component does not have access to the model %q", model)
}

type keyValue struct{}

func (keyValue) StoreOpen(*component.Call, string) (keyvalue.Store, error) {
	return nil, keyvalue.Error{Case: keyvalue.ErrorAccessDenied}
}

type llm struct{}

func (llm) Infer(_ *component.Call, model spin2llm.InferencingModel, _ string, _ value.Option[spin2llm.InferencingParams]) (spin2llm.InferencingResult, error) {
	return spin2llm.InferencingResult{}, spin2llm.Error{Case: spin2llm.ErrorInvalidInput, InvalidInput: noAccess(model)}
}

func (llm) GenerateEmbeddings(_ *component.Call, model spin2llm.EmbeddingModel, _ []string) (spin2llm.EmbeddingsResult, error) {
	return spin2llm.EmbeddingsResult{}, spin2llm.Error{Case: spin2llm.ErrorInvalidInput, InvalidInput: noAccess(model)}
}

type mqtt struct{}

func (mqtt) ConnectionOpen(_ *component.Call, address, _, _ string, _ uint64) (spin2mqtt.Connection, error) {
	return nil, spin2mqtt.Error{Case: spin2mqtt.ErrorConnectionFailed, ConnectionFailed: notPermitted(address)}
}

type redis struct{}

func (redis) ConnectionOpen(*component.Call, string) (spin2redis.Connection, error) {
	return nil, spin2redis.Error{Case: spin2redis.ErrorInvalidAddress}
}

type mysql struct{}

func (mysql) ConnectionOpen(_ *component.Call, address string) (spin2mysql.Connection, error) {
	return nil, rdbmstypes.Error{Case: rdbmstypes.ErrorConnectionFailed, ConnectionFailed: notPermitted(address)}
}

type postgresV2 struct{}

func (postgresV2) ConnectionOpen(_ *component.Call, address string) (spin2postgres.Connection, error) {
	return nil, rdbmstypes.Error{Case: rdbmstypes.ErrorConnectionFailed, ConnectionFailed: postgresNotPermitted(address)}
}

type postgresV3 struct{}

func (postgresV3) ConnectionOpen(_ *component.Call, address string) (postgres3.Connection, error) {
	return nil, postgres3.Error{Case: postgres3.ErrorConnectionFailed, ConnectionFailed: postgresNotPermitted(address)}
}

type postgresV4 struct{}

func (postgresV4) ConnectionOpen(_ *component.Call, address string) (postgres4.Connection, error) {
	return nil, postgresDenied(address)
}

func postgresDenied(address string) error {
	return postgres4.Error{Case: postgres4.ErrorConnectionFailed, ConnectionFailed: postgresNotPermitted(address)}
}

func (postgresV4) NewConnectionBuilder(_ *component.Call, address string) (postgres4.ConnectionBuilder, error) {
	return builder{address}, nil
}

// builder takes settings for a connection and denies to make it.
type builder struct{ address string }

func (builder) SetCaRoot(*component.Call, string) error { return nil }

func (b builder) Build(*component.Call) (postgres4.Connection, error) {
	return nil, postgresDenied(b.address)
}

func (builder) Drop() {}

type sqliteV2 struct{}

func (sqliteV2) ConnectionOpen(*component.Call, string) (spin2sqlite.Connection, error) {
	return nil, spin2sqlite.Error{Case: spin2sqlite.ErrorAccessDenied}
}

type sqliteV3 struct{}

func (sqliteV3) ConnectionOpen(*component.Call, string) (sqlite3.Connection, error) {
	return nil, sqlite3.Error{Case: sqlite3.ErrorAccessDenied}
}
