// Command interop sends one known set of traces, metrics and logs through the OpenTelemetry Go SDK to every endpoint
// named. Each SDK batch goes to all of them, so identifiers and times are equal wherever it arrives and the arrivals can
// be compared item by item.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
)

// target says where to send and how.
type target struct {
	endpoint string // host:port
	http     bool
	json     bool // traces alone: the other exporters don't offer it
	gzip     bool
}

func main() {
	run := flag.String("run", "", "value of the resource attribute interop.run")
	protocol := flag.String("protocol", "grpc", "grpc | http/protobuf | http/json, which sends traces alone")
	compression := flag.String("compression", "none", "none | gzip")
	endpoints := flag.String("endpoints", "", "comma-separated host:port; every batch goes to each")
	flag.Parse()

	var targets []target
	for _, endpoint := range strings.Split(*endpoints, ",") {
		targets = append(targets, target{endpoint, *protocol != "grpc", *protocol == "http/json", *compression == "gzip"})
	}
	var heard errorLog
	otel.SetErrorHandler(&heard)
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()

	res := resource.NewWithAttributes("https://opentelemetry.io/schemas/1.37.0",
		append(everyType("resource."), attribute.String("interop.run", *run), attribute.String("service.name", "interop-go"))...)
	err := sendTraces(ctx, res, targets)
	if *protocol != "http/json" {
		err = errors.Join(err, sendMetrics(ctx, res, targets), sendLogs(ctx, res, targets))
	}
	if err = errors.Join(err, heard.err()); err != nil {
		log.Print(err)
		os.Exit(1)
	}
	fmt.Println("sent")
}

// errorLog keeps what the SDK reports aside: a batch that a background exporter could not deliver, a partial success.
type errorLog struct {
	mu   sync.Mutex
	errs []error
}

func (l *errorLog) Handle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

func (l *errorLog) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}
