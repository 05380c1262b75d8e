using System.Globalization;

namespace KubeProxy.Benchmarks;

/// <summary>What something took, in milliseconds. On a machine that has other things to do, CPU time says more.</summary>
/// <param name="Wall">Of wall time.</param>
/// <param name="Cpu">Of CPU time, the kernel's included.</param>
internal readonly record struct Cost(double Wall, double Cpu)
{
    public static Cost operator +(Cost left, Cost right) => new(left.Wall + right.Wall, left.Cpu + right.Cpu);

    public static Cost operator /(Cost cost, int count) => new(cost.Wall / count, cost.Cpu / count);

    /// <summary>A line for each phase, for <see cref="Read"/> in another process.</summary>
    public static void Print(Dictionary<string, Cost> phases)
    {
        foreach (var (phase, cost) in phases) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{phase}\t{cost.Wall:R}\t{cost.Cpu:R}"));
    }

    public static Dictionary<string, Cost> Read(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))
        .ToDictionary(parts => parts[0], parts => new Cost(Number(parts[1]), Number(parts[2])));

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
