using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>The frame that every expression stands in.</summary>
internal static class NftExpressionList
{
    /// <summary>The name and the attributes of an expression.</summary>
    public static NftNamedExpression Read(NlAttribute expression)
    {
        var name = "";
        NlAttribute data = default;
        foreach (var attribute in expression.Nested())
        {
            switch (attribute.As<ExpressionAttribute>())
            {
                case ExpressionAttribute.Name: name = attribute.Text(); break;
                case ExpressionAttribute.Data: data = attribute; break;
            }
        }

        return new NftNamedExpression(name, data);
    }
}

/// <summary>An expression as it is in a message.</summary>
internal readonly ref struct NftNamedExpression
{
    private readonly string _name;
    private readonly NlAttribute _data;

    public NftNamedExpression(string name, NlAttribute data)
    {
        _name = name;
        _data = data;
    }

    public void Deconstruct(out string expression, out NlAttribute attributes)
    {
        expression = _name;
        attributes = _data;
    }
}
