// The server of etcd as a program of its own: its module's own program cannot be built from outside,
// because that module replaces some of its requirements with folders beside it.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
