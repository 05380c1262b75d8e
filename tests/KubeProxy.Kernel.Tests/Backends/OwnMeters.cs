using System.Diagnostics.Metrics;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Makes meters that are told from those of tests beside it, and reads how many connections a relay has.</summary>
internal sealed class OwnMeters : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public int ReadConnections()
    {
        var value = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == this && instrument.Name == "kubeproxy_relay_tcp_connections") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, measurement, _, _) => value = measurement);
        listener.Start();
        listener.RecordObservableInstruments();
        return value;
    }

    public void Dispose()
    {
        foreach (var meter in _meters) meter.Dispose();
    }
}
