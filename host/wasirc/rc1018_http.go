package wasirc

import (
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// In 0.2.0-rc-2023-10-18 constructors take all that a value has, what is wrong with
// it is a trap where 0.2 has an error, and errors are one of four sorts with a text.

var (
	errorABI = abi.Variant(
		abi.Case{Name: "invalid-url", Type: abi.String},
		abi.Case{Name: "timeout-error", Type: abi.String},
		abi.Case{Name: "protocol-error", Type: abi.String},
		abi.Case{Name: "unexpected-error", Type: abi.String},
	)
	requestOptionsABI = abi.Record(
		abi.Field{Name: "connect-timeout-ms", Type: abi.Option(abi.U32)},
		abi.Field{Name: "first-byte-timeout-ms", Type: abi.Option(abi.U32)},
		abi.Field{Name: "between-bytes-timeout-ms", Type: abi.Option(abi.U32)},
	)
)

// errorSort is a case of the variant error.
type errorSort uint32

const (
	invalidURL errorSort = iota
	timeoutError
	protocolError
	unexpectedError
)

var errorSorts = [...]string{"invalid-url", "timeout-error", "protocol-error", "unexpected-error"}

// sortOf returns the sort of an error-code.
func sortOf(code types.ErrorCodeCase) errorSort {
	switch code {
	case types.ErrorCodeHTTPRequestURIInvalid, types.ErrorCodeHTTPRequestURITooLong:
		return invalidURL
	case types.ErrorCodeDNSTimeout, types.ErrorCodeConnectionTimeout, types.ErrorCodeConnectionReadTimeout,
		types.ErrorCodeConnectionWriteTimeout, types.ErrorCodeHTTPResponseTimeout:
		return timeoutError
	case types.ErrorCodeTLSProtocolError, types.ErrorCodeTLSAlertReceived, types.ErrorCodeHTTPProtocolError,
		types.ErrorCodeHTTPRequestLengthRequired, types.ErrorCodeHTTPRequestBodySize,
		types.ErrorCodeHTTPRequestMethodInvalid, types.ErrorCodeHTTPRequestHeaderSectionSize,
		types.ErrorCodeHTTPRequestHeaderSize, types.ErrorCodeHTTPRequestTrailerSectionSize,
		types.ErrorCodeHTTPRequestTrailerSize, types.ErrorCodeHTTPResponseIncomplete,
		types.ErrorCodeHTTPResponseHeaderSectionSize, types.ErrorCodeHTTPResponseHeaderSize,
		types.ErrorCodeHTTPResponseBodySize, types.ErrorCodeHTTPResponseTrailerSectionSize,
		types.ErrorCodeHTTPResponseTrailerSize, types.ErrorCodeHTTPResponseTransferCoding,
		types.ErrorCodeHTTPResponseContentCoding, types.ErrorCodeHTTPUpgradeFailed:
		return protocolError
	}
	return unexpectedError
}

// httpError is a result that failed.
func httpError(code types.ErrorCode) abi.Val {
	v := abi.PayloadVal(uint32(sortOf(code.Case)), abi.StringVal(code.Error()))
	return abi.ErrVal(&v)
}

func rc1018HTTPTypes(d *derivation) {
	d.without("request-options") // a record here
	d.without("io-error")
	rc1018Fields(d)
	rc1018Outgoing(d)
	rc1018Futures(d)
	d.put("[static]response-outparam.set", &abi.Func{
		Params: []abi.Field{
			{Name: "param", Type: abi.Own(types.ResponseOutparamResource)},
			{Name: "response", Type: abi.Result(abi.Own(types.OutgoingResponseResource), errorABI)},
		},
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		var answer value.Result[types.OutgoingResponse, types.ErrorCode]
		switch v, _ := args[1].Payload(); args[1].Case() {
		case 0:
			answer.OK = v.Rep().(types.OutgoingResponse)
		default:
			text, _ := v.Payload()
			answer.IsErr = true
			answer.Err.Case = types.ErrorCodeInternalError
			answer.Err.InternalError = value.Some(errorSorts[v.Case()] + ": " + text.Str())
		}
		return abi.Val{}, wasihttp.HostOf(c).ResponseOutparamSet(c, args[0].Rep().(types.ResponseOutparam), answer)
	})
}

// rc1018Fields has functions that cannot fail.
func rc1018Fields(d *derivation) {
	self := abi.Field{Name: "self", Type: abi.Borrow(types.FieldsResource)}
	name := abi.Field{Name: "name", Type: abi.String}
	entry := abi.Tuple(abi.String, abi.List(abi.U8))
	d.put("[constructor]fields", &abi.Func{
		Params: []abi.Field{{Name: "entries", Type: abi.List(entry)}},
		Result: abi.Own(types.FieldsResource),
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		list := args[0].Elems()
		entries := make([]value.Tuple2[types.FieldName, types.FieldValue], len(list))
		for i := range list {
			e := list[i].Elems()
			entries[i] = value.Tuple2[types.FieldName, types.FieldValue]{F0: e[0].Str(), F1: e[1].Bytes()}
		}
		f, err := wasihttp.HostOf(c).FieldsFromList(c, entries)
		if err != nil {
			return abi.Val{}, fmt.Errorf("[constructor]fields: %w", err)
		}
		return abi.OwnVal(f), nil
	})
	put := func(method string, param *abi.Type, fn func(c *component.Call, f types.Fields, name string, args []abi.Val) error) {
		params := []abi.Field{self, name}
		if param != nil {
			params = append(params, abi.Field{Name: "value", Type: param})
		}
		d.put("[method]fields."+method, &abi.Func{Params: params}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
			name := args[1].Str()
			if err := fn(c, args[0].Rep().(types.Fields), name, args[2:]); err != nil {
				return abi.Val{}, fmt.Errorf("fields.%s of %q: %w", method, name, err)
			}
			return abi.Val{}, nil
		})
	}
	put("set", abi.List(abi.List(abi.U8)), func(c *component.Call, f types.Fields, name string, args []abi.Val) error {
		list := args[0].Elems()
		values := make([]types.FieldValue, len(list))
		for i := range list {
			values[i] = list[i].Bytes()
		}
		return f.Set(c, name, values)
	})
	put("append", abi.List(abi.U8), func(c *component.Call, f types.Fields, name string, args []abi.Val) error {
		return f.Append(c, name, args[0].Bytes())
	})
	put("delete", nil, func(c *component.Call, f types.Fields, name string, _ []abi.Val) error {
		return f.Delete(c, name)
	})
}

// rc1018Outgoing has requests and responses that are made in one call, with copies
// of the fields, and bodies that end without telling how.
func rc1018Outgoing(d *derivation) {
	d.rename("[method]outgoing-request.body", "[method]outgoing-request.write", "")
	d.rename("[method]outgoing-response.body", "[method]outgoing-response.write", "")
	headers := abi.Field{Name: "headers", Type: abi.Borrow(types.FieldsResource)}

	d.put("[constructor]outgoing-request", &abi.Func{
		Params: []abi.Field{
			{Name: "method", Type: types.MethodABI},
			{Name: "path-with-query", Type: abi.Option(abi.String)},
			{Name: "scheme", Type: abi.Option(types.SchemeABI)},
			{Name: "authority", Type: abi.Option(abi.String)},
			headers,
		},
		Result: abi.Own(types.OutgoingRequestResource),
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		f, err := args[4].Rep().(types.Fields).Clone(c)
		if err != nil {
			return abi.Val{}, err
		}
		r, err := wasihttp.HostOf(c).NewOutgoingRequest(c, f)
		if err != nil {
			return abi.Val{}, err
		}
		for _, set := range []func() error{
			func() error { return r.SetMethod(c, method(args[0])) },
			func() error { return r.SetPathWithQuery(c, optionOf(args[1], abi.Val.Str)) },
			func() error { return r.SetScheme(c, optionOf(args[2], scheme)) },
			func() error { return r.SetAuthority(c, optionOf(args[3], abi.Val.Str)) },
		} {
			if err := set(); err != nil {
				r.Drop()
				return abi.Val{}, fmt.Errorf("[constructor]outgoing-request: the method, path, scheme or authority is invalid: %w", err)
			}
		}
		return abi.OwnVal(r), nil
	})
	d.put("[constructor]outgoing-response", &abi.Func{
		Params: []abi.Field{{Name: "status-code", Type: abi.U16}, headers},
		Result: abi.Own(types.OutgoingResponseResource),
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		f, err := args[1].Rep().(types.Fields).Clone(c)
		if err != nil {
			return abi.Val{}, err
		}
		r, err := wasihttp.HostOf(c).NewOutgoingResponse(c, f)
		if err != nil {
			return abi.Val{}, err
		}
		if err := r.SetStatusCode(c, types.StatusCode(args[0].Uint())); err != nil {
			r.Drop()
			return abi.Val{}, fmt.Errorf("[constructor]outgoing-response: the status %d is invalid", args[0].Uint())
		}
		return abi.OwnVal(r), nil
	})
	d.put("[static]outgoing-body.finish", &abi.Func{
		Params: []abi.Field{
			{Name: "this", Type: abi.Own(types.OutgoingBodyResource)},
			{Name: "trailers", Type: abi.Option(abi.Own(types.FieldsResource))},
		},
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		trailers := optionOf(args[1], func(v abi.Val) types.Trailers { return v.Rep().(types.Trailers) })
		if err := wasihttp.HostOf(c).OutgoingBodyFinish(c, args[0].Rep().(types.OutgoingBody), trailers); err != nil {
			return abi.Val{}, fmt.Errorf("outgoing-body.finish: %w", err)
		}
		return abi.Val{}, nil
	})
}

// rc1018Futures has the four errors in what comes later. Trailers are always
// some, and can be had once.
func rc1018Futures(d *derivation) {
	d.put("[method]future-trailers.get", &abi.Func{
		Params: []abi.Field{{Name: "self", Type: abi.Borrow(types.FutureTrailersResource)}},
		Result: abi.Option(abi.Result(abi.Own(types.FieldsResource), errorABI)),
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		got, err := args[0].Rep().(types.FutureTrailers).Get(c)
		switch {
		case err != nil:
			return abi.Val{}, err
		case !got.Set:
			return abi.NoneVal(), nil
		case got.V.IsErr:
			c.Trapf("future-trailers.get: the trailers were taken already")
		case got.V.OK.IsErr:
			return abi.SomeVal(httpError(got.V.OK.Err)), nil
		}
		trailers := got.V.OK.OK.V
		if !got.V.OK.OK.Set {
			if trailers, err = wasihttp.HostOf(c).NewFields(c); err != nil {
				return abi.Val{}, err
			}
		}
		v := abi.OwnVal(trailers)
		return abi.SomeVal(abi.OkVal(&v)), nil
	})
	d.put("[method]future-incoming-response.get", &abi.Func{
		Params: []abi.Field{{Name: "self", Type: abi.Borrow(types.FutureIncomingResponseResource)}},
		Result: abi.Option(abi.Result(abi.Result(abi.Own(types.IncomingResponseResource), errorABI), nil)),
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		got, err := args[0].Rep().(types.FutureIncomingResponse).Get(c)
		if err != nil {
			return abi.Val{}, err
		}
		if !got.Set {
			return abi.NoneVal(), nil
		}
		if got.V.IsErr {
			return abi.SomeVal(abi.ErrVal(nil)), nil
		}
		answer := httpError(got.V.OK.Err)
		if !got.V.OK.IsErr {
			v := abi.OwnVal(got.V.OK.OK)
			answer = abi.OkVal(&v)
		}
		return abi.SomeVal(abi.OkVal(&answer)), nil
	})
}

// rc1018OutgoingHandler has its options in a record, in milliseconds.
func rc1018OutgoingHandler(d *derivation) {
	d.without("request-options")
	d.put("handle", &abi.Func{
		Params: []abi.Field{
			{Name: "request", Type: abi.Own(types.OutgoingRequestResource)},
			{Name: "options", Type: abi.Option(requestOptionsABI)},
		},
		Result: abi.Result(abi.Own(types.FutureIncomingResponseResource), errorABI),
	}, func(c *component.Call, args []abi.Val) (abi.Val, error) {
		var options value.Option[types.RequestOptions]
		if record, ok := args[1].Payload(); ok {
			o, err := requestOptions(c, record.Elems())
			if err != nil {
				return abi.Val{}, err
			}
			options = value.Some(o)
		}
		future, err := wasihttp.HostOf(c).Handle(c, args[0].Rep().(types.OutgoingRequest), options)
		if err != nil {
			code, ok := err.(types.ErrorCode)
			if !ok {
				return abi.Val{}, err
			}
			return httpError(code), nil
		}
		v := abi.OwnVal(future)
		return abi.OkVal(&v), nil
	})
}

func requestOptions(c *component.Call, times []abi.Val) (types.RequestOptions, error) {
	o, err := wasihttp.HostOf(c).NewRequestOptions(c)
	if err != nil {
		return nil, err
	}
	for i, set := range []func(*component.Call, value.Option[uint64]) error{
		o.SetConnectTimeout, o.SetFirstByteTimeout, o.SetBetweenBytesTimeout,
	} {
		ns := optionOf(times[i], func(v abi.Val) uint64 { return v.Uint() * 1e6 })
		if err := set(c, ns); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func method(v abi.Val) types.Method {
	other, _ := v.Payload()
	return types.Method{Case: types.MethodCase(v.Case()), Other: other.Str()}
}

func scheme(v abi.Val) types.Scheme {
	other, _ := v.Payload()
	return types.Scheme{Case: types.SchemeCase(v.Case()), Other: other.Str()}
}

// optionOf returns an option of what of makes of its value.
func optionOf[T any](v abi.Val, of func(abi.Val) T) value.Option[T] {
	if payload, ok := v.Payload(); ok {
		return value.Some(of(payload))
	}
	return value.None[T]()
}
