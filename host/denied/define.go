package denied

import (
	"fmt"

	"github.com/minispin/minispin/component"
	spin1keyvalue "github.com/minispin/minispin/wit/bindings/fermyon/spin1/keyvalue"
	spin1llm "github.com/minispin/minispin/wit/bindings/fermyon/spin1/llm"
	spin1mysql "github.com/minispin/minispin/wit/bindings/fermyon/spin1/mysql"
	spin1postgres "github.com/minispin/minispin/wit/bindings/fermyon/spin1/postgres"
	spin1redis "github.com/minispin/minispin/wit/bindings/fermyon/spin1/redis"
	spin1sqlite "github.com/minispin/minispin/wit/bindings/fermyon/spin1/sqlite"
	spin2keyvalue "github.com/minispin/minispin/wit/bindings/fermyon/spin2/keyvalue"
	spin2llm "github.com/minispin/minispin/wit/bindings/fermyon/spin2/llm"
	spin2mqtt "github.com/minispin/minispin/wit/bindings/fermyon/spin2/mqtt"
	spin2mysql "github.com/minispin/minispin/wit/bindings/fermyon/spin2/mysql"
	spin2postgres "github.com/minispin/minispin/wit/bindings/fermyon/spin2/postgres"
	spin2redis "github.com/minispin/minispin/wit/bindings/fermyon/spin2/redis"
	spin2sqlite "github.com/minispin/minispin/wit/bindings/fermyon/spin2/sqlite"
	postgres3 "github.com/minispin/minispin/wit/bindings/spin/postgres3/postgres"
	postgres4 "github.com/minispin/minispin/wit/bindings/spin/postgres4/postgres"
	sqlite3 "github.com/minispin/minispin/wit/bindings/spin/sqlite3/sqlite"
	"github.com/minispin/minispin/wit/bindings/wasi/keyvaluedraft2/atomics"
	"github.com/minispin/minispin/wit/bindings/wasi/keyvaluedraft2/batch"
	kvstore "github.com/minispin/minispin/wit/bindings/wasi/keyvaluedraft2/store"
)

// always serves every call with the same host, which has no state.
func always[H any](h H) func(*component.Call) H {
	return func(*component.Call) H { return h }
}

// Define adds all denied interfaces to l. The host value of an instance may be an
// Observer. Define fails when one of the interfaces is defined already.
func Define(l *component.Linker) error {
	for _, i := range []*component.Interface{
		kvstore.Bind(always[kvstore.Host](buckets{})),
		atomics.Bind(always[atomics.Host](buckets{})),
		batch.Bind(always[batch.Host](buckets{})),

		spin2keyvalue.Bind(always[spin2keyvalue.Host](keyValue{})),
		spin2llm.Bind(always[spin2llm.Host](llm{})),
		spin2mqtt.Bind(always[spin2mqtt.Host](mqtt{})),
		spin2mysql.Bind(always[spin2mysql.Host](mysql{})),
		spin2postgres.Bind(always[spin2postgres.Host](postgresV2{})),
		spin2redis.Bind(always[spin2redis.Host](redis{})),
		spin2sqlite.Bind(always[spin2sqlite.Host](sqliteV2{})),
		postgres3.Bind(always[postgres3.Host](postgresV3{})),
		postgres4.Bind(always[postgres4.Host](postgresV4{})),
		sqlite3.Bind(always[sqlite3.Host](sqliteV3{})),

		spin1keyvalue.Bind(always[spin1keyvalue.Host](keyValueV1{})),
		spin1llm.Bind(always[spin1llm.Host](llmV1{})),
		spin1mysql.Bind(always[spin1mysql.Host](mysqlV1{})),
		spin1postgres.Bind(always[spin1postgres.Host](postgresV1{})),
		spin1redis.Bind(always[spin1redis.Host](redisV1{})),
		spin1sqlite.Bind(always[spin1sqlite.Host](sqliteV1{})),
	} {
		if err := l.Define(observed(i)); err != nil {
			return fmt.Errorf("denied interfaces: %w", err)
		}
	}
	return nil
}
