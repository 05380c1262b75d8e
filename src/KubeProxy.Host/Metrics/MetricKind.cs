using System.Diagnostics.Metrics;

namespace KubeProxy.Host.Metrics;

/// <summary>What an instrument's measurements are.</summary>
internal enum MetricKind
{
    /// <summary>Something to add to a counter.</summary>
    Addition,

    /// <summary>The total of a counter.</summary>
    Total,

    /// <summary>Something to add to a gauge, or to take away.</summary>
    Change,

    /// <summary>The value of a gauge.</summary>
    Value,

    /// <summary>Something to count in a bucket.</summary>
    Observation,
}

/// <summary>Tells instruments apart.</summary>
internal static class MetricKinds
{
    /// <summary>The kind of an instrument's measurements.</summary>
    public static MetricKind Of(Instrument instrument)
    {
        var type = instrument.GetType();
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        if (definition == typeof(Counter<>)) return MetricKind.Addition;
        if (definition == typeof(ObservableCounter<>)) return MetricKind.Total;
        if (definition == typeof(Histogram<>)) return MetricKind.Observation;
        return definition == typeof(UpDownCounter<>) ? MetricKind.Change : MetricKind.Value;
    }
}
