package wasirc

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

// rc1110HTTPTypes makes wasi:http/types the candidate's: the functions of
// request-options say ms in their names, though they count nanoseconds as those
// of 0.2.0 do, and future-trailers.get can be called once only.
func rc1110HTTPTypes(d *derivation) {
	for _, name := range []string{"connect-timeout", "first-byte-timeout", "between-bytes-timeout"} {
		d.rename("[method]request-options."+name, "[method]request-options."+name+"-ms", "")
		d.rename("[method]request-options.set-"+name, "[method]request-options.set-"+name+"-ms", "ms")
	}
	get := function(d.Interface, "[method]future-trailers.get")
	get.Type = &abi.Func{
		Params: get.Type.Params,
		Result: abi.Option(abi.Result(abi.Option(abi.Own(types.FieldsResource)), types.ErrorCodeABI)),
	}
	get.Call = futureTrailersGet
}

// futureTrailersGet is future-trailers.get with the candidate's result, which
// takes 48 bytes: an option at 0, in it a result at 8, in that at 16 an option of
// a handle at 20, or an error-code.
func futureTrailersGet(c *component.Call, st []component.Raw) error {
	self := c.LiftBorrow(types.FutureTrailersResource, st[0].U32()).(types.FutureTrailers)
	at := st[1].U32()
	v, err := self.Get(c)
	if err != nil {
		return err
	}
	if v.Set && v.V.IsErr {
		c.Trapf("future-trailers.get: the trailers were taken already")
	}
	c.Mem().Check(at, 48, 8)
	if !v.Set {
		c.Mem().PutU8(at, 0)
		return nil
	}
	c.Mem().PutU8(at, 1)
	switch r := v.V.OK; {
	case r.IsErr:
		c.Mem().PutU8(at+8, 1)
		types.StoreErrorCode(c, at+16, &r.Err)
	case !r.OK.Set:
		c.Mem().PutU8(at+8, 0)
		c.Mem().PutU8(at+16, 0)
	default:
		c.Mem().PutU8(at+8, 0)
		c.Mem().PutU8(at+16, 1)
		c.Mem().PutU32(at+20, c.LowerOwn(types.FieldsResource, r.OK.V))
	}
	return nil
}
