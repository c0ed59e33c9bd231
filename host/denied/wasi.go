package denied

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/keyvaluedraft2/atomics"
	kvstore "github.com/minispin/minispin/wit/bindings/wasi/keyvaluedraft2/store"
	"github.com/minispin/minispin/wit/value"
)

// buckets denies wasi:keyvalue: no bucket is granted, so none of the functions
// that take one can be reached.
type buckets struct{}

var noBucket = kvstore.Error{Case: kvstore.ErrorAccessDenied}

func (buckets) Open(*component.Call, string) (kvstore.Bucket, error) { return nil, noBucket }

func (buckets) CasNew(*component.Call, kvstore.Bucket, string) (atomics.Cas, error) {
	return nil, noBucket
}

func (buckets) Increment(*component.Call, kvstore.Bucket, string, int64) (int64, error) {
	return 0, noBucket
}

func (buckets) Swap(*component.Call, atomics.Cas, []byte) error {
	return atomics.CasError{Case: atomics.CasErrorStoreError, StoreError: noBucket}
}

func (buckets) GetMany(*component.Call, kvstore.Bucket, []string) ([]value.Tuple2[string, value.Option[[]byte]], error) {
	return nil, noBucket
}

func (buckets) SetMany(*component.Call, kvstore.Bucket, []value.Tuple2[string, []byte]) error {
	return noBucket
}

func (buckets) DeleteMany(*component.Call, kvstore.Bucket, []string) error { return noBucket }
