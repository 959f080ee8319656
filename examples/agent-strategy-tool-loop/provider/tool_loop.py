from dify_plugin.interfaces.agent import AgentProvider


class ToolLoopProvider(AgentProvider):
    """Strategies have no credentials of their own."""
