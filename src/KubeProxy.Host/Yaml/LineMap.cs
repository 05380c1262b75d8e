namespace KubeProxy.Host.Yaml;

/// <summary>Which line of a YAML text a byte of the JSON made from it comes from. Grows with the lines, not with the values.</summary>
public sealed class LineMap
{
    private readonly List<(long Offset, int Line)> _steps = [];

    /// <summary>Notes that the JSON from <paramref name="offset"/> on comes from <paramref name="line"/>.</summary>
    /// <param name="offset">A byte offset, not smaller than the last one noted.</param>
    /// <param name="line">The line, from 1.</param>
    internal void Note(long offset, long line)
    {
        if (_steps.Count == 0 || _steps[^1].Line != line) _steps.Add((offset, (int)line));
    }

    /// <summary>The line, from 1, of the byte at <paramref name="offset"/>; 1 when nothing is known.</summary>
    public int LineAt(long offset)
    {
        var (low, high) = (0, _steps.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_steps[middle].Offset <= offset) low = middle + 1;
            else high = middle;
        }

        return low == 0 ? 1 : _steps[low - 1].Line;
    }
}
