using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Reads the struct of an extension; null when it has something that the type cannot say.</summary>
internal delegate T? XtRead<out T>(ReadOnlySpan<byte> info, in XtContext context) where T : class;

/// <summary>Writes the struct of an extension, which is all zeros before.</summary>
internal delegate void XtWrite<in T>(T value, Span<byte> info, in XtContext context);

/// <summary>Adds the options of an extension, after its name.</summary>
internal delegate void XtPrint<in T>(T value, IptablesArguments text);

/// <summary>An extension in one revision: its struct and its text.</summary>
/// <typeparam name="TBase">Matches or targets.</typeparam>
internal abstract class XtCodec<TBase>(Type type, string name, uint revision, int size) where TBase : class
{
    public Type Type => type;

    /// <summary>The name in the kernel.</summary>
    public string Name => name;

    public uint Revision => revision;

    /// <summary>The size of the struct, padded to 8 bytes.</summary>
    public int Size => size;

    /// <summary>The only family that has it; null for both.</summary>
    public IpFamily? Family { get; init; }

    /// <summary>
    /// Whether what is read is always written back as it was. If not, it is written and compared, and kept as it is where it differs.
    /// </summary>
    public bool IsExact { get; init; }

    public abstract TBase? Read(ReadOnlySpan<byte> info, in XtContext context);

    public abstract void Write(TBase value, Span<byte> info, in XtContext context);

    public abstract void Print(TBase value, IptablesArguments text);
}

/// <inheritdoc cref="XtCodec{TBase}"/>
internal sealed class XtCodec<TBase, T>(string name, uint revision, int size, XtRead<T> read, XtWrite<T> write, XtPrint<T> print)
    : XtCodec<TBase>(typeof(T), name, revision, size) where TBase : class where T : class, TBase
{
    public override TBase? Read(ReadOnlySpan<byte> info, in XtContext context) => read(info, context);

    public override void Write(TBase value, Span<byte> info, in XtContext context) => write((T)value, info, context);

    public override void Print(TBase value, IptablesArguments text) => print((T)value, text);
}
