using KubeProxy.Host.Composition;

namespace KubeProxy.Host.Tests;

public sealed class IdleMemoryTests
{
    private const long MiB = 1 << 20;

    /// <summary>MiB allocated in each period, and in which of them memory is given back.</summary>
    [Theory]
    [InlineData(new[] { 100, 0, 0, 0 }, new[] { 1 })]
    [InlineData(new[] { 100, 50, 50, 3, 3 }, new[] { 3 })]
    [InlineData(new[] { 10, 0, 10, 0, 10, 0 }, new int[0])]
    [InlineData(new[] { 10, 10, 10, 10, 1, 0, 0 }, new[] { 4 })]
    [InlineData(new[] { 100, 1, 100, 1, 1 }, new[] { 1, 3 })]
    [InlineData(new[] { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 }, new[] { 10 })]
    public void Memory_is_given_back_once_it_is_quiet_after_much(int[] allocated, int[] expected)
    {
        var (total, at, collections) = (0L, 0, new List<int>());
        using var memory = new IdleMemory(TimeProvider.System, () => total, () => collections.Add(at));
        for (; at < allocated.Length; at++)
        {
            total += allocated[at] * MiB;
            memory.Look();
        }

        Assert.Equal(expected, collections);
    }
}
