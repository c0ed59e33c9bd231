package component

import "errors"

func (k *linking) linkModule(pre *InstancePre) error { return errors.New("pending") }
