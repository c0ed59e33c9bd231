package denied

import "testing"

func TestPostgresNotPermitted(t *testing.T) {
	const noHost = "address names no host"
	const socket = "address names a socket in the file system, which is not permitted"
	permitted := func(server string) string { return "address postgres://" + server + " is not permitted" }
	for address, want := range map[string]string{
		"postgres://localhost:5432":                          permitted("localhost:5432"),
		"postgres://localhost":                               permitted("localhost:5432"),
		"postgresql://u:p@db.example:5433/x?sslmode=disable": permitted("db.example:5433"),
		"postgres://u:p%40q@db.example/x":                    permitted("db.example:5432"),
		"postgres://u:p@q@db.example/x":                      permitted("db.example:5432"),
		"postgres://a:1,b:2/x":                               permitted("a:1"),
		"postgres://[::1]:5433/x":                            permitted("[::1]:5433"),
		"postgres://[::1]":                                   permitted("[::1]:5432"),
		"postgres:///x?host=db.example&port=5433":            permitted("db.example:5433"),
		"postgres://%2Frun%2Fpostgresql/x":                   socket,
		"postgres:///x?host=/run/postgresql":                 socket,
		"postgres:///x":                                      noHost,
		"postgres://":                                        noHost,
		"postgres://:5432/x":                                 noHost,
		"postgres://[::1/x":                                  "address is not valid: an IPv6 address is not closed by a bracket",
		"postgres://[::1]x":                                  "address is not valid: an IPv6 address is not closed by a bracket",
		"postgres://%zz/x":                                   "address is not valid: a host is not properly encoded",
		"postgres://h/x?host=%zz":                            "address is not valid: its parameters are not properly encoded",

		"host=localhost port=5433 user=u password=p":  permitted("localhost:5433"),
		"  user = u\thost = localhost\n":              permitted("localhost:5432"),
		"host='db.example' password='a b\\'c host=x'": permitted("db.example:5432"),
		"host=a,b port=1,2":                           permitted("a:1"),
		"hostaddr=192.0.2.1":                          permitted("192.0.2.1:5432"),
		"hostaddr=192.0.2.1 host=db.example":          permitted("db.example:5432"),
		"host=/run/postgresql":                        socket,
		"host=":                                       noHost,
		"user=u":                                      noHost,
		"":                                            noHost,
		`host=back\ slash`:                            permitted("back slash:5432"),
		`host=end\`:                                   permitted(`end\:5432`),
		"host='open":                                  "address is not valid: the value of host has no closing quote",
		"localhost:5432":                              "address is not valid: it is neither a postgres URL nor a list of name=value",
		"=x":                                          "address is not valid: it is neither a postgres URL nor a list of name=value",
		"host localhost=x":                            "address is not valid: it is neither a postgres URL nor a list of name=value",
		"mysql://localhost/x":                         "address is not valid: it is neither a postgres URL nor a list of name=value",
	} {
		if got := postgresNotPermitted(address); got != want {
			t.Errorf("%q:\n got %s\nwant %s", address, got, want)
		}
	}
}
